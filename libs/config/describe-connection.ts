/** Knows how a connection is written as YAML: what `syncline get -o yaml` shows, and what `readConfig` reads back. */
import { stringify } from 'yaml'
import type { Connection, Flow, Guards } from '../domain/connection.ts'
import { formatDuration } from './duration.ts'
import { present } from './present.ts'
import { writtenSchedule } from './schedule-form.ts'

/** A whole file with these connections. */
export const describeConnections = (connections: ReadonlyArray<Connection>): string =>
  stringify({ connections: Object.fromEntries(connections.map((one) => [one.id, written(one)])) }, { lineWidth: 0, aliasDuplicateObjects: false })

export const describeConnection = (connection: Connection): string => describeConnections([connection])

const written = ({ id: _id, schedule, flows, runTimeoutMs, sameActivityOverlap, description, hold: _hold, ...others }: Connection): object => ({
  ...present({ description }),
  schedule: writtenSchedule(schedule),
  ...others,
  ...present({
    runTimeout: runTimeoutMs === undefined ? undefined : formatDuration(runTimeoutMs),
    sameActivityOverlap: sameActivityOverlap === undefined ? undefined : writtenShare(sameActivityOverlap),
  }),
  ...(flows.length === 1 && flows[0]?.id === 'main' ? writtenFlow(flows[0]) : { flows: flows.map((flow) => ({ id: flow.id, ...writtenFlow(flow) })) }),
})

const writtenFlow = ({ id: _id, kind, direction, source, destination, guards, horizonMs, ...others }: Flow): object => ({
  kind, direction, source: writtenSide(source), destination: writtenSide(destination), ...others,
  ...present({ horizon: horizonMs === undefined ? undefined : formatDuration(horizonMs), guards: guards === undefined ? undefined : writtenGuards(guards) }),
})

const writtenSide = ({ provider, ...options }: Flow['source']): object => ({ provider, ...options })

const writtenGuards = ({ maxDeleteShare, maxBadShare, ...others }: Guards): object => ({
  ...others,
  ...present({
    maxDeleteShare: maxDeleteShare === undefined ? undefined : writtenShare(maxDeleteShare),
    maxBadShare: maxBadShare === undefined ? undefined : writtenShare(maxBadShare),
  }),
})

/** A percentage where it is a whole one, and means the same number again. */
const writtenShare = (found: number): string | number => {
  const percent = Math.round(found * 100)
  return percent / 100 === found ? `${percent}%` : found
}

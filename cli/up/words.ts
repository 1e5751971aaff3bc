/** Knows how `syncline up` speaks to a person: lines of text with or without colour. Pure. */
import type { Counts, RunResult } from '#libs/contracts/result.ts'
import { strategyOf, type Connection, type Strategy } from '#libs/domain/connection.ts'
import type { RecordKind } from '#libs/domain/record.ts'
import { oneLine, type Paint } from '../render.ts'
import { sumOf, type News, type Totals } from './session.ts'

/** What has come up, how long it took, where it is; aligned under each other. */
export const factLine = (paint: Paint, label: string, what: string, detail = '', tookMs?: number): string =>
  `  ${paint('bold', label.padEnd(15))}  ${paint('dim', (tookMs === undefined ? '' : lasting(tookMs)).padStart(6))}  ${detail === '' ? what : `${what.padEnd(24)}  ${paint('dim', detail)}`}`

/** Under a fact. */
export const noteLine = (paint: Paint, text: string): string => `${' '.repeat(27)}${paint('dim', text)}`

export const headLine = (paint: Paint, text: string): string => `\n  ${paint('dim', text)}`

/** Widths of what stands under each other. */
export type Table = { readonly connections: ReadonlyMap<string, Connection>; readonly nameWidth: number; readonly descriptionWidth: number }

export const tableOf = (connections: ReadonlyArray<Connection>): Table => ({
  connections: new Map(connections.map((connection) => [connection.id, connection])),
  nameWidth: Math.max(8, ...connections.map(({ id }) => id.length)),
  descriptionWidth: Math.max(0, ...connections.map(({ description }) => description?.length ?? 0)),
})

/** One line for each connection whose first run since the start has ended; a second one when a person may want to know more. */
export const newsLines = (paint: Paint, news: News, table: Table, at: string): ReadonlyArray<string> => {
  const { result } = news
  const connection = table.connections.get(result.conn)
  const name = paint('bold', result.conn.padEnd(table.nameWidth))
  const under = (text: string): string => `  ${' '.repeat(table.nameWidth)}  ${paint('dim', text)}`
  const took = lasting(result.finishedAt - result.startedAt)
  const done = whatWasDone(sumOf(result))
  switch (news.is) {
    case 'began': {
      const inStep = `${linksIn(result)} ${nounOf(connection)}`
      const description = (connection?.description ?? '').padEnd(table.descriptionWidth)
      return [`  ${name}  ${description}  ${paint('dim', took.padStart(6))}  ${inStep.padEnd(10)}  ${done}`, ...rulingOf(result, connection).map(under)]
    }
    case 'change':
      return [`  ${name}  ${paint('dim', at)}  ${done}  ${paint('dim', took)}`, ...rulingOf(result, connection).map(under)]
    case 'recovered':
      return [`  ${name}  ${paint('dim', at)}  well again: ${done}  ${paint('dim', took)}`]
    case 'trouble':
      return [`  ${name}  ${paint('dim', at)}  ${paint('red', oneLine(news.why))}`, ...(news.mend === undefined ? [] : [under(oneLine(news.mend))])]
  }
}

export const whatWasDone = (counts: Counts): string => {
  const parts = [
    [counts.created, 'created'], [counts.updated, 'updated'], [counts.deleted, 'deleted'], [counts.adopted, 'equal'],
    [counts.conflicts, counts.conflicts === 1 ? 'conflict' : 'conflicts'], [counts.held, 'held'], [counts.parked, 'set aside'], [counts.drifted, 'edited over there'],
  ] as const
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`)
  return said.length === 0 ? 'nothing to do' : said.join(', ')
}

const rulingOf = (result: RunResult, connection: Connection | undefined): ReadonlyArray<string> =>
  sumOf(result).conflicts === 0 || connection === undefined ? [] : [`${rulings[strategyOf(connection)]}: npx syncline versions ${connection.id}`]

/** Of one conflict or several. */
const rulings: Readonly<Record<Strategy, string>> = {
  'source-wins': 'in conflict the source won; what lost is kept',
  'destination-wins': 'in conflict the destination won; what lost is kept',
  'newest-wins': 'in conflict the newest won; what lost is kept',
  merge: 'merged field by field; what was overwritten is kept',
  manual: 'in conflict, and waiting for you to decide',
}

const nouns: Readonly<Record<RecordKind, string>> = { contact: 'cards', event: 'events', activity: 'activities', 'glucose-reading': 'readings', row: 'rows' }

const nounOf = (connection: Connection | undefined): string => {
  const [kind, ...others] = new Set(connection?.flows.map((flow) => flow.kind) ?? [])
  return kind === undefined || others.length > 0 ? 'items' : nouns[kind]
}

const linksIn = (result: RunResult): string => grouped(result.flows.reduce((sum, flow) => sum + (flow.links ?? 0), 0))

/** The line that lives at the bottom of a terminal, or comes every half a minute in a pipe. */
export const heartbeat = (totals: Totals, sinceMs: number, now: number): string => {
  const { latest } = totals
  const last = latest === undefined ? '' : `   last: ${latest.conn}, ${grouped(latest.moved)} ${ago(now - latest.at)}`
  return `${lasted(sinceMs)}   ${tally(totals)}${last}`
}

export const farewell = (totals: Totals, sinceMs: number): string => `Ended after ${lasted(sinceMs)}: ${tally(totals)}.`

const tally = ({ runs, quiet, troubled, moved }: Totals): string =>
  [`${grouped(runs)} ${runs === 1 ? 'run' : 'runs'}`, `${grouped(quiet)} quiet`, ...(troubled === 0 ? [] : [`${grouped(troubled)} not well`]), `${grouped(moved)} carried over`].join(', ')

const ago = (ms: number): string => (ms < 1_500 ? 'just now' : `${lasted(ms)} ago`)

/** `48 s`, `3 min 05 s`, `2 h 07 min`. */
const lasted = (ms: number): string => {
  const seconds = Math.floor(ms / 1_000)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  return `${Math.floor(seconds / 3_600)} h ${two(Math.floor(seconds / 60) % 60)} min`
}

export const lasting = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`)

/** A thin space would align better, and not every terminal has one. */
const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, ' ')

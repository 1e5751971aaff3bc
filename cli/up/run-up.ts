/**
 * Knows the life of `syncline up`: the folder is claimed, everything comes up, runs until a signal, and drains. Has it told
 * to the person who watches. Does not know how anything is started: bring-up.ts does.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { runProcess } from '#libs/actor/lifecycle.ts'
import type { Host } from '#libs/actor/signals.ts'
import { describeMistake, type Mistake } from '#libs/config/mistake.ts'
import { readConfig } from '#libs/config/read-config.ts'
import type { Connection } from '#libs/domain/connection.ts'
import { E } from '#libs/fp.ts'
import type { NatsSettings } from '#libs/process/settings.ts'
import type { logEvents } from '#libs/telemetry/events.ts'
import { makeLog, type Log } from '#libs/telemetry/log.ts'
import type { Call } from '../call.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Refusal } from '../refusal.ts'
import { painter } from '../render.ts'
import { bringUp } from './bring-up.ts'
import { claimFolder, type Claim } from './claim.ts'
import { NotUp, wrong } from './not-up.ts'
import type { UpOptions } from './options.ts'
import { unpackQuickstart } from './quickstart-data.ts'
import { prepareServices } from './services.ts'
import { makeScreen, type Screen } from './screen.ts'
import { makeTeller } from './teller.ts'

type Asked = { readonly options: UpOptions; readonly call: Pick<Call, 'io' | 'clock' | 'refuse'>; readonly version: string; readonly givenNats: NatsSettings | undefined }

/** Resolves with the exit code; rejects for a bug only. */
export const runUp = async (asked: Asked): Promise<ExitCode> => {
  const { options, call: { io, refuse } } = asked
  // Asked for early: from here on a signal ends nothing by itself
  const { interrupted } = io
  const claim = await claimFolder(options.dir)()
  if (E.isLeft(claim)) return refuse(claim.left)
  const screen = makeScreen(io, (line) => painter(io)('dim', line))
  try {
    return await live(asked, claim.right, screen, interrupted)
  } catch (cause) {
    screen.live('')
    if (cause instanceof NotUp) return refuse(cause.refusal)
    throw cause
  } finally {
    screen.live('')
    await claim.right.release()
  }
}

const live = async ({ options, call: { io, clock, refuse }, version, givenNats }: Asked, claim: Claim, screen: Screen, interrupted: AbortSignal): Promise<ExitCode> => {
  const prepared = prepareServices(io.env)
  if (E.isLeft(prepared)) return refuse(prepared.left)
  const { logLevel, shutdownMs } = prepared.right.settings
  const { story, logs, format } = options.output
  const logOf = (service: string): Log => {
    const log = makeLog({ service, level: logs === 'all' ? logLevel : 'warn', format, colour: io.colour, write: (line) => screen.say(line.trimEnd()) })
    return logs === 'all' ? log : withoutTold(log)
  }

  const unpacked = options.quickstart ? await unpackQuickstart(join(options.dir, 'quickstart'))() : E.right(undefined)
  if (E.isLeft(unpacked)) return refuse(unpacked.left)
  const quickstart = unpacked.right
  const connections = connectionsIn(quickstart?.config ?? options.config, io.cwd)
  if (E.isLeft(connections)) return refuse(connections.left)

  const teller = makeTeller({ options, io, paint: painter(io), screen, version, clock, quickstart, connections: connections.right })
  if (story) teller.begin(claim.wasCutOff)
  const up = await bringUp({
    options, version, clock, logOf, quickstart, givenNats, env: io.env, connections: connections.right,
    say: story ? teller.came : () => undefined,
    hear: story ? teller.heard : () => undefined,
  })
  await claim.tell({ pid: process.pid, natsUrl: up.natsUrl, httpUrl: up.httpUrl, startedAt: new Date(clock.now()).toISOString() })
  if (story) teller.isUp(up)
  const code = await runProcess({ services: () => Promise.resolve(up.parts), log: logOf('up'), shutdownMs, broken: up.broken, host: hostOf(interrupted) })
  if (story) teller.end(code === 0)
  return code === 0 ? exitCodes.ok : exitCodes.failed
}

const connectionsIn = (file: string | undefined, cwd: string): E.Either<Refusal, ReadonlyArray<Connection>> => {
  if (file === undefined) return E.right([])
  const near = relative(cwd, file)
  const name = near.startsWith('..') ? file : near
  const text = E.tryCatch(() => readFileSync(file, 'utf8'), (cause) => wrong(`${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`))
  if (E.isLeft(text)) return text
  const lines = (mistakes: ReadonlyArray<Mistake>): string => mistakes.map((mistake) => `\n  ${describeMistake(mistake)}`).join('')
  return E.mapLeft((mistakes: ReadonlyArray<Mistake>) => wrong(`the configuration is wrong${lines(mistakes)}`))(readConfig(text.right, name, undefined, dirname(file)))
}

/** The teller says these in its own words; a slot that met its own run is no news where intervals are this short. */
const told: ReadonlySet<string> = new Set<keyof typeof logEvents>(['process.broken', 'run.ended', 'slot.coalesced'])

const withoutTold = (log: Log): Log => ({
  ...log,
  warn: (event, facts) => (told.has(event) ? undefined : log.warn(event, facts)),
  error: (event, facts) => (told.has(event) ? undefined : log.error(event, facts)),
  child: (facts) => withoutTold(log.child(facts)),
})

/** The command line hears the signals: the first is passed on, the second ends the process before we hear of it. */
const hostOf = (interrupted: AbortSignal): Host => ({
  on: (signal, listener) => {
    const fire = (): void => {
      if ((interrupted.reason === 143 ? 'SIGTERM' : interrupted.reason === 129 ? 'SIGHUP' : 'SIGINT') === signal) listener()
    }
    if (interrupted.aborted) queueMicrotask(fire)
    else interrupted.addEventListener('abort', fire, { once: true })
  },
  off: () => undefined,
})

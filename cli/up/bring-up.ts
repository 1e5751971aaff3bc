/**
 * Knows the order in which a whole Syncline comes up in one process: servers, streams, services, configuration. What is
 * up when a step fails is taken down again. Does not know signals, nor what is told of it beyond `say`.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runningService, type RunningService } from '#libs/actor/lifecycle.ts'
import type { Clock } from '#libs/clock.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { Env } from '#libs/process/env.ts'
import type { NatsSettings } from '#libs/process/settings.ts'
import type { Log } from '#libs/telemetry/log.ts'
import { carryOut, changesFor } from '../apply-connections.ts'
import { choosePort } from './choose-port.ts'
import { databaseFor, databaseUrlFile, type Database } from './database.ts'
import { followResults } from './follow.ts'
import { startMeterWriter } from './meter-writer.ts'
import type { RunningServer } from './nats.ts'
import type { UpOptions } from './options.ts'
import type { Unpacked } from './quickstart-data.ts'
import { readyNats } from './ready-nats.ts'
import { prepareServices, startServices } from './services.ts'
import { failed, NotUp, orThrow } from './not-up.ts'

export type BringUp = {
  readonly options: UpOptions
  readonly env: Env
  readonly version: string
  readonly clock: Clock
  readonly logOf: (service: string) => Log
  /** What has come up, in the order it has. */
  readonly say: (fact: UpFact) => void
  readonly hear: (result: RunResult) => void
  readonly quickstart: Unpacked | undefined
  /** Where `options.natsPort` asks for none of our own. */
  readonly givenNats: NatsSettings | undefined
  readonly connections: ReadonlyArray<Connection>
}

export type UpFact =
  | { readonly is: 'nats'; readonly url: string; readonly version: string; readonly isOwn: boolean; readonly note?: string; readonly ms: number }
  | { readonly is: 'database'; readonly database: Database; readonly ms: number }
  | { readonly is: 'services'; readonly names: ReadonlyArray<string>; readonly ms: number }
  | { readonly is: 'http'; readonly url: string; readonly note?: string }

export type Up = {
  readonly natsUrl: string
  readonly httpUrl: string
  readonly database: Database | undefined
  /** In the order in which they are to be drained. */
  readonly parts: ReadonlyArray<RunningService>
  /** Resolves with a sentence when the whole cannot go on. */
  readonly broken: Promise<string>
}

/** Rejects with `NotUp`. */
export const bringUp = async (ask: BringUp): Promise<Up> => {
  const { options, clock, logOf, say, quickstart } = ask
  const stopwatch = () => {
    const began = clock.monotonic()
    return (): number => clock.monotonic() - began
  }
  const opened: Array<RunningService> = []
  const open = <A extends RunningServer>(name: string, server: A): A => {
    opened.unshift(runningService({ name, stop: server.stop, abort: server.stop }))
    return server
  }
  try {
    const http = orThrow(await choosePort(options.httpHost, options.httpPort, 'HTTP', '--http-port auto, or --http-port <number>')())
    const httpUrl = `http://${options.httpHost.includes(':') ? `[${options.httpHost}]` : options.httpHost}:${http.port}`
    const took = stopwatch()
    // Side by side: making a database for the first time takes seconds
    const [nats, database] = await both(
      readyNats(ask, open).then(({ found, url, settings, own, bus }) => {
        opened.unshift(runningService({ name: 'up', stop: bus.drain, abort: bus.close }))
        say({ is: 'nats', url, version: found, isOwn: own !== undefined, ms: took(), ...(own?.note === undefined ? {} : { note: own.note }) })
        return { url, settings, own, bus }
      }),
      quickstart === undefined ? Promise.resolve(undefined) : databaseFor(join(options.dir, 'postgres'), ask.env, clock)().then(async (started) => {
        const own = open('PostgreSQL', orThrow(started))
        const urlFile = join(options.dir, databaseUrlFile)
        await writeFile(urlFile, `${own.url}\n`, { mode: 0o600 })
        const forget = () => rm(urlFile, { force: true })
        opened.unshift(runningService({ name: databaseUrlFile, stop: forget, abort: forget }))
        say({ is: 'database', database: own, ms: took() })
        return own
      }),
    )
    const env = { ...ask.env, TRACKER_HTTP_PORT: String(http.port), ...(database === undefined ? {} : { METERS_DATABASE_URL: database.url }) }
    const { services: prepared } = orThrow(prepareServices(env))
    // Before any service: the first results come within milliseconds
    followResults(nats.bus, ask.hear)
    const tookServices = stopwatch()
    const services = await startServices(prepared, { nats: nats.settings, env, version: ask.version, logOf })
    opened.unshift(...services)
    say({ is: 'services', names: services.map(({ name }) => name), ms: tookServices() })
    say({ is: 'http', url: httpUrl, ...(http.note === undefined ? {} : { note: http.note }) })
    await applied(nats.bus, ask)
    if (quickstart !== undefined) opened.unshift(await startMeterWriter(quickstart.readings, clock, logOf('quickstart')))
    const breaking = [nats.own?.broke, database?.broke, ...services.map(({ broke }) => broke)].filter((one) => one !== undefined)
    return { natsUrl: nats.url, httpUrl, database, parts: opened, broken: Promise.race(breaking) }
  } catch (cause) {
    for (const part of opened) await part.stop().catch(() => undefined)
    throw cause instanceof NotUp ? cause : new NotUp(failed(cause instanceof Error ? cause.message : String(cause)))
  }
}

/** As `syncline apply` does it. */
const applied = async (bus: Bus, { connections, clock, env }: BringUp): Promise<void> => {
  const changes = orThrow(await changesFor(bus, connections))
  const [refused] = await carryOut(bus, changes, { at: clock.now(), who: env['USER'] })
  if (refused !== undefined) throw new NotUp(refused)
}

/** Waits for both even when one fails: what the other started must be known to be ended. */
const both = async <A, B>(a: Promise<A>, b: Promise<B>): Promise<readonly [A, B]> => {
  await Promise.allSettled([a, b])
  return [await a, await b]
}

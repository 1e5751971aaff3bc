/** Knows what `syncline up` may be asked, and what follows from it: ports, folders, and what is shown where. Pure. */
import { resolve } from 'node:path'
import { E } from '#libs/fp.ts'
import type { Env } from '#libs/process/env.ts'
import type { PortWish } from './choose-port.ts'

/** As the command line gives them. */
export type UpFlags = {
  readonly dir: string
  readonly port?: string
  readonly httpPort?: string
  readonly config?: string
  /** false with --no-embedded. */
  readonly embedded: boolean
  readonly quickstart?: boolean
  readonly verbose?: boolean
  readonly syncInterval: string
}

export type UpOptions = {
  /** Absolute. */
  readonly dir: string
  /** Of the NATS server of our own; undefined = NATS_URL. */
  readonly natsPort: PortWish | undefined
  readonly httpHost: string
  readonly httpPort: PortWish
  /** Absolute. */
  readonly config: string | undefined
  readonly quickstart: boolean
  readonly syncInterval: string
  readonly output: Output
}

/**
 * `story`: what a person watches. Logs go to the same place, as a whole or, under a story, only from `warn` on.
 * A terminal shows the story; so does the quickstart in a pipe. Otherwise a pipe gets logs, and so does whoever asks for them.
 */
export type Output = { readonly story: boolean; readonly logs: 'all' | 'warnings'; readonly format: 'json' | 'pretty' }

export const defaultHttpPort = '4280'
export const defaultNatsPort = '4222'

/** Every acknowledged write flushed: what one node alone needs to keep its word at a power cut (NATS.md §11.2). */
export const defaultSyncInterval = 'always'

/** Left: every mistake, one line each. */
export const upOptions = (flags: UpFlags, env: Env, cwd: string, isTty: boolean): E.Either<ReadonlyArray<string>, UpOptions> => {
  const mistakes: Array<string> = []
  const quickstart = flags.quickstart === true
  const port = (flag: string, given: string | undefined, otherwise: string): PortWish => {
    const text = given ?? otherwise
    const number = text === 'auto' ? 0 : /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
    if (!(number <= 65_535)) mistakes.push(`${flag}: expected a port from 1 to 65535 or auto, found "${text}"`)
    // Whoever names a port wants that one; a newcomer only wants to see it run
    return { port: number, ifTaken: given === undefined && quickstart ? 'take-another' : 'refuse' }
  }
  const natsPort = flags.embedded ? port('--port', flags.port, defaultNatsPort) : undefined
  if (!flags.embedded && flags.port !== undefined) mistakes.push('--port: it is the port of the embedded server, and --no-embedded asks for none')
  if (quickstart && flags.config !== undefined) mistakes.push('--config: --quickstart brings its own; leave one of the two out')
  if (!/^(always|[1-9]\d{0,5}(ms|s|m))$/.test(flags.syncInterval)) mistakes.push(`--sync-interval: expected always, or a time such as 10s, found "${flags.syncInterval}"`)
  const httpPort = port('--http-port', flags.httpPort ?? env['TRACKER_HTTP_PORT'], defaultHttpPort)
  if (mistakes.length > 0) return E.left(mistakes)
  return E.right({
    dir: resolve(cwd, flags.dir),
    natsPort, httpPort, quickstart,
    httpHost: env['TRACKER_HTTP_HOST'] ?? '127.0.0.1',
    config: flags.config === undefined ? undefined : resolve(cwd, flags.config),
    syncInterval: flags.syncInterval,
    output: outputOf({ quickstart, verbose: flags.verbose === true, format: env['SYNCLINE_LOG_FORMAT'], isTty }),
  })
}

const outputOf = ({ quickstart, verbose, format, isTty }: { readonly quickstart: boolean; readonly verbose: boolean; readonly format: string | undefined; readonly isTty: boolean }): Output => {
  const wantsLogs = verbose || (format !== undefined && format !== '') || (!isTty && !quickstart)
  const chosen = format === 'json' || format === 'pretty' ? format : isTty || verbose ? 'pretty' : 'json'
  return wantsLogs ? { story: chosen === 'pretty', logs: 'all', format: chosen } : { story: true, logs: 'warnings', format: 'pretty' }
}

/** Knows which NATS `syncline up` uses: its own server in the folder, or the one the environment names. */
import { join } from 'node:path'
import type { Clock } from '#libs/clock.ts'
import { startNatsServer } from '#libs/embedded/nats-server.ts'
import { TE, pipe } from '#libs/fp.ts'
import type { Env } from '#libs/process/env.ts'
import { choosePort, type PortWish } from './choose-port.ts'
import { outlive } from './leftovers.ts'
import type { Refusal } from '../refusal.ts'
import { busy, failed } from './not-up.ts'

export type RunningServer = {
  /** Resolves with a sentence when it ended without being asked to. */
  readonly broke: Promise<string>
  readonly stop: () => Promise<void>
}
export type OwnNats = RunningServer & { readonly url: string; readonly note?: string }

export type OwnNatsOptions = {
  readonly folder: string
  readonly port: PortWish
  /** "always" or a time; see options.ts. */
  readonly syncInterval: string
  readonly env: Env
  readonly clock: Clock
}

const host = '127.0.0.1'

export const startOwnNats = ({ folder, port, syncInterval, env, clock }: OwnNatsOptions): TE.TaskEither<Refusal, OwnNats> => {
  const pidFile = join(folder, 'nats-server.pid')
  return pipe(
    outlive(clock)({ what: 'the nats-server', pidFile, mark: join(folder, 'nats-server.conf'), signal: 'SIGTERM' }),
    TE.chain(() => choosePort(host, port, 'NATS', '--port auto, or --port <number>')),
    TE.chain(({ port: chosen, note }) => pipe(
      startNatsServer({
        host, port: chosen, storeDir: folder, syncInterval,
        extra: `pid_file: ${JSON.stringify(pidFile)}`,
        ...(env['NATS_SERVER_BIN'] === undefined ? {} : { binary: env['NATS_SERVER_BIN'] }),
        ...(env['PATH'] === undefined ? {} : { path: env['PATH'] }),
      }),
      TE.mapLeft(({ is, message }): Refusal => (is === 'port-in-use' ? busy(message, 'choose another port: --port auto') : failed(message))),
      TE.map((server) => {
        const { broke, stop } = watched('nats-server', server.closed.then(({ code, signal }) => signal ?? `code ${code}`), server.stop)
        return { url: server.url, broke, stop, ...(note === undefined ? {} : { note }) }
      }),
    )),
  )
}

/** An end that was asked for is no breakage. */
export const watched = (name: string, closed: Promise<string>, stop: () => Promise<void>): RunningServer => {
  let isWanted = false
  return {
    broke: new Promise((tell) => void closed.then((how) => isWanted || tell(`the ${name} of this process has ended by itself (${how})`))),
    stop: () => {
      isWanted = true
      return stop()
    },
  }
}

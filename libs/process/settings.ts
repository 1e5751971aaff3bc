/** Knows the settings that every Syncline process has: where NATS is and how to log in, how to log, how long to drain. */
import type { ConnectOptions } from '../nats/connect-options.ts'
import { logLevels, type LogLevel } from '../telemetry/log.ts'
import type { EnvReader } from './env.ts'

export type NatsSettings = {
  readonly servers: ReadonlyArray<string>
  readonly credsFile?: string
  readonly user?: string
  readonly password?: string
  readonly caFile?: string
}

export type Settings = {
  readonly nats: NatsSettings
  readonly logLevel: LogLevel
  readonly logFormat: 'json' | 'pretty'
  /** How long a drain may take; a running sync may need it all (R 12.4, 17.7: 5 minutes). */
  readonly shutdownMs: number
}

export const defaultNatsUrl = 'nats://127.0.0.1:4222'
const defaultShutdownMs = 5 * 60_000

export const natsSettings = ({ text, mistake }: EnvReader): NatsSettings => {
  const servers = (text('NATS_URL') ?? defaultNatsUrl).split(',').map((url) => url.trim()).filter((url) => url !== '')
  if (servers.length === 0) mistake('NATS_URL: expected one or more addresses with commas between, found none')
  const [credsFile, user, password, caFile] = [text('NATS_CREDS'), text('NATS_USER'), text('NATS_PASSWORD'), text('NATS_CA')]
  if ((user === undefined) !== (password === undefined)) mistake('NATS_USER and NATS_PASSWORD: expected both or none')
  return {
    servers,
    ...(credsFile === undefined ? {} : { credsFile }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(caFile === undefined ? {} : { caFile }),
  }
}

export const settingsOf = (env: EnvReader): Settings => ({
  nats: natsSettings(env),
  logLevel: env.oneOf('SYNCLINE_LOG_LEVEL', logLevels, 'info'),
  logFormat: env.oneOf('SYNCLINE_LOG_FORMAT', ['json', 'pretty'], 'json'),
  shutdownMs: env.wholeNumber('SYNCLINE_SHUTDOWN_MS', 0, 3_600_000, defaultShutdownMs),
})

/** `readFile` gives the text of the credentials file. */
export const connectOptions = (name: string, nats: NatsSettings, readFile: (path: string) => string): ConnectOptions => ({
  servers: nats.servers,
  name,
  inboxPrefix: `_INBOX_${name}`,
  ...(nats.credsFile === undefined ? {} : { credentials: { by: 'creds', creds: readFile(nats.credsFile) } }),
  ...(nats.user === undefined || nats.password === undefined ? {} : { credentials: { by: 'password', user: nats.user, password: nats.password } }),
  ...(nats.caFile === undefined ? {} : { tls: { caFile: nats.caFile } }),
})

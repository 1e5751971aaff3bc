/** Knows the settings that every Syncline process has: where NATS is and how to log in, how to log, how long to drain. */
import type { ConnectOptions, Credentials } from '../nats/connect-options.ts'
import { logLevels, type LogLevel } from '../telemetry/log.ts'
import type { EnvReader } from './env.ts'

export type NatsSettings = {
  readonly servers: ReadonlyArray<string>
  readonly credsFile?: string
  readonly nkeySeed?: string
  /** A file with the seed somewhere in it, as `nk -gen user` and `nsc` write it. */
  readonly nkeyFile?: string
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
  const [credsFile, nkeySeed, nkeyFile] = [text('NATS_CREDS'), text('NATS_NKEY_SEED'), text('NATS_NKEY_FILE')]
  const [user, password, caFile] = [text('NATS_USER'), text('NATS_PASSWORD'), text('NATS_CA')]
  if ((user === undefined) !== (password === undefined)) mistake('NATS_USER and NATS_PASSWORD: expected both or none')
  // The seed is a secret: it is not repeated
  if (nkeySeed !== undefined && seedIn(nkeySeed) !== nkeySeed) mistake('NATS_NKEY_SEED: expected the seed of a user nkey (SU and 56 more letters and digits), found something else')
  const nkeys = [nkeySeed === undefined ? [] : ['NATS_NKEY_SEED'], nkeyFile === undefined ? [] : ['NATS_NKEY_FILE']].flat()
  const others = [credsFile === undefined ? [] : ['NATS_CREDS'], user === undefined ? [] : ['NATS_USER']].flat()
  if (nkeys.length > 1 || (nkeys.length > 0 && others.length > 0)) mistake(`${[...nkeys, ...others].join(' and ')}: expected one way to log in`)
  return {
    servers,
    ...(credsFile === undefined ? {} : { credsFile }),
    ...(nkeySeed === undefined ? {} : { nkeySeed }),
    ...(nkeyFile === undefined ? {} : { nkeyFile }),
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

/** Of a user nkey: other keys begin with other letters. */
const seedIn = (text: string): string | undefined => /\bSU[A-Z2-7]{56}\b/.exec(text)?.[0]

/** `readFile` gives the text of a file with credentials. Throws, naming the file, when it cannot be read or has no seed. */
export const connectOptions = (name: string, nats: NatsSettings, readFile: (path: string) => string): ConnectOptions => {
  const credentials = credentialsOf(nats, readFile)
  return {
    servers: nats.servers,
    name,
    inboxPrefix: `_INBOX_${name}`,
    ...(credentials === undefined ? {} : { credentials }),
    ...(nats.caFile === undefined ? {} : { tls: { caFile: nats.caFile } }),
  }
}

const credentialsOf = ({ credsFile, nkeySeed, nkeyFile, user, password }: NatsSettings, readFile: (path: string) => string): Credentials | undefined => {
  if (user !== undefined && password !== undefined) return { by: 'password', user, password }
  if (credsFile !== undefined) return { by: 'creds', creds: readFile(credsFile) }
  const seed = nkeySeed ?? (nkeyFile === undefined ? undefined : seedIn(readFile(nkeyFile)))
  if (seed === undefined && nkeyFile !== undefined) throw new Error(`${nkeyFile} has no seed of a user nkey in it (SU and 56 more letters and digits)`)
  return seed === undefined ? undefined : { by: 'nkey', seed }
}

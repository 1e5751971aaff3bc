/** Writes the settings' table of docs/operating.md from what the programs read: `node docs/tools/settings.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnv, type EnvReader } from '#libs/process/env.ts'
import { settingsOf } from '#libs/process/settings.ts'
import { configOf as resolverConfig } from '../../services/conflict-resolver/config.ts'
import { configOf as schedulerConfig } from '../../services/scheduler/config.ts'
import { configOf as workerConfig } from '../../services/sync-worker/config.ts'
import { configOf as trackerConfig } from '../../services/tracker/config.ts'

export const operatingPath = join(import.meta.dirname, '../operating.md')

/** What each is for; for texts also what holds when they are not set. */
export const meanings: Readonly<Record<string, string>> = {
  NATS_URL: 'addresses, with commas between; not set: `nats://127.0.0.1:4222`',
  NATS_CREDS: 'credentials file, as `nsc` makes it; read at the start',
  NATS_NKEY_SEED: 'seed of a user nkey (`SU…`)',
  NATS_NKEY_FILE: 'or a file with that seed; read at the start',
  NATS_USER: 'together with `NATS_PASSWORD`, where there is neither',
  NATS_PASSWORD: '',
  NATS_CA: 'file with the certificate authority to trust; turns TLS on',
  SYNCLINE_LOG_LEVEL: '',
  SYNCLINE_LOG_FORMAT: '`pretty` is for people at a terminal',
  SYNCLINE_SHUTDOWN_MS: 'how long runs in hand may take to end after SIGTERM; then they are cut off and come again',
  SCHEDULER_TICKS: '`off`: nothing is due by itself; requests and triggers are served',
  SCHEDULER_REQUEST_CONCURRENCY: 'requests in hand at once',
  WORKER_NAME: 'its name in leases and results; not set: made up at the start',
  WORKER_HOT_CONCURRENCY: 'runs at once in the lane `hot`',
  WORKER_COLD_CONCURRENCY: 'runs at once in the lane `cold`',
  WORKER_LEASE_TTL_MS: 'how long a dead worker blocks its connections; the same for all workers, and not above 30 s: the work is delivered again after 32 s',
  WORKER_RESOLVER_TIMEOUT_MS: 'without an answer by then conflicts stay as they are until the next run',
  RESOLVER_MAX_BODY_BYTES: 'longest question and longest answer',
  TRACKER_HTTP_HOST: 'not set: `127.0.0.1`, which is this machine only',
  TRACKER_HTTP_PORT: '0 takes a free one',
  TRACKER_HTTP_TOKEN: 'with it every path but `/healthz` and `/api/sync` wants `Authorization: Bearer <token>`',
  TRACKER_CONCURRENCY: 'results recorded at once',
  TRACKER_CACHED: 'connections whose status is kept in memory, about 2 KB each',
  TRACKER_SWEEP_EVERY_MS: 'how often work items that were silently given up on are looked for',
  TRACKER_SILENT_MS: 'silence after which a delivered work item counts as given up',
}

export type Setting = { readonly name: string; readonly values: string; readonly otherwise: string }

/** Asks a program for its settings in an empty environment, and notes what it asked for. */
const askedBy = (read: (env: EnvReader) => unknown): ReadonlyArray<Setting> => {
  const asked: Array<Setting> = []
  const note = <A>(name: string, values: string, otherwise: A): A => {
    asked.push({ name, values, otherwise: otherwise === undefined ? '' : String(otherwise) })
    return otherwise
  }
  read({
    ...readEnv({}),
    text: (name) => note(name, 'text', undefined),
    oneOf: (name, allowed, otherwise) => note(name, allowed.map((one) => `\`${one}\``).join(', '), otherwise),
    wholeNumber: (name, from, to, otherwise) => note(name, `${from} to ${to}`, otherwise),
  })
  return asked
}

export const programs: ReadonlyArray<readonly [who: string, settings: ReadonlyArray<Setting>]> = [
  ['every service', askedBy(settingsOf)],
  ['scheduler', askedBy(schedulerConfig)],
  ['sync-worker', askedBy(workerConfig)],
  ['conflict-resolver', askedBy(resolverConfig)],
  ['tracker', askedBy(trackerConfig)],
]

const begin = '<!-- settings: written by docs/tools/settings.ts -->'
const end = '<!-- end of settings -->'

/** The page with its table as it must be. */
export const withSettings = (page: string): string => {
  const rows = programs.flatMap(([who, settings]) =>
    settings.map(({ name, values, otherwise }, n) => `| ${n === 0 ? who : ''} | \`${name}\` | ${values} | ${otherwise} | ${meanings[name] ?? ''} |`),
  )
  const table = ['| read by | variable | values | default | |', '|---|---|---|---|---|', ...rows].join('\n')
  const [before = '', rest = ''] = page.split(begin)
  return `${before}${begin}\n${table}\n${end}${rest.split(end)[1] ?? ''}`
}

if (import.meta.main) writeFileSync(operatingPath, withSettings(readFileSync(operatingPath, 'utf8')))

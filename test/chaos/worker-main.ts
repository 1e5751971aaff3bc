/**
 * Runs one sync-worker as services/sync-worker/main.ts does, with what the rig needs of it: the sandbox's connector, a wall clock
 * that jumps by as many ms as stand in CHAOS_CLOCK, and writes to files noted in CHAOS_NOTES, because nobody outside sees their
 * preconditions.
 */
import { readFileSync } from 'node:fs'
import { systemClock, type Clock } from '#libs/clock.ts'
import type { Connector, Write, Wrote } from '#libs/connectors/connector.ts'
import { postgresWith } from '#libs/connectors/postgres/postgres.ts'
import { connectors } from '#libs/connectors/registry.ts'
import { E } from '#libs/fp.ts'
import { serviceProcess, type Service } from '#libs/process/service-process.ts'
import { systemRandom } from '#libs/random.ts'
import type { Config } from '../../services/sync-worker/config.ts'
import { service, start } from '../../services/sync-worker/start.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { monotonic, recorder, type HistoryRecord, type Remote } from './history.ts'
import { sandboxConnector } from './sandbox/connector.ts'
import { valueOf } from './systems/cloud.ts'

const worker = process.env['WORKER_NAME'] ?? 'worker'
const clockFile = process.env['CHAOS_CLOCK']
const notesFile = process.env['CHAOS_NOTES']
const note: (record: HistoryRecord) => void = notesFile === undefined ? () => undefined : recorder(notesFile).write

let jump = 0
const lookEveryMs = 100
if (clockFile !== undefined) {
  const look = (): void => {
    try {
      jump = Number(readFileSync(clockFile, 'utf8').trim()) || 0
    } catch {
      // Not there yet, or just being replaced.
    }
  }
  look()
  setInterval(look, lookEveryMs).unref()
}
const clock: Clock = { ...systemClock, now: () => systemClock.now() + jump }

/** What the engine asked a folder to write, once it was answered. */
const noted = (connector: Connector): Connector => ({
  ...connector,
  open: (ask) => async () => {
    const opened = await connector.open(ask)()
    if (E.isLeft(opened)) return opened
    const side = opened.right
    return E.right({
      ...side,
      write: (writes, signal) => async () => {
        const at = monotonic()
        const wrote = await side.write(writes, signal)()
        for (const [n, write] of writes.entries()) {
          note(remoteOf(write, E.isRight(wrote) ? wrote.right[n] : undefined, { at, conn: ask.connection, side: ask.role === 'source' ? 'A' : 'B' }))
        }
        return wrote
      },
    })
  },
})

const remoteOf = (write: Write, wrote: Wrote | undefined, where: Pick<Remote, 'at' | 'conn' | 'side'>): Remote => {
  const value = write.do === 'delete' ? null : write.fields['NOTE']
  return {
    is: 'remote', by: 'connector', ...where, worker,
    verb: write.do === 'create' ? 'CREATE' : write.do === 'update' ? 'UPDATE' : 'DELETE',
    key: write.key, ...(write.do === 'create' ? {} : { remoteId: write.remoteId }),
    value: typeof value === 'string' ? valueOf(value) : null,
    precondition: write.do === 'create' ? '*' : write.expect,
    status: wrote === undefined ? 0 : statusOf[wrote.is], applied: wrote?.is === 'done',
  }
}
const statusOf: Readonly<Record<Wrote['is'], number>> = { done: 200, stale: 412, exists: 412, refused: 422, failed: 500 }

const known = new Map(connectors)
const file = connectors.get('file')
if (file !== undefined) known.set('file', noted(file))
known.set('postgres', postgresWith(clock, systemRandom))
known.set('sandbox', sandboxConnector(worker))

const chaotic: Service<Config> = { ...service, start: (config, deps) => start(config, { ...deps, clock }, known) }

process.exitCode = await serviceProcess(chaotic, process.argv, process.env, packageJson.version)

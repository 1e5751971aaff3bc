/**
 * A sync-worker in a process of its own; each connection has two empty sides in memory. argv: URL of NATS, number of
 * connections. Ends with who started it.
 */
import { systemClock } from '#libs/clock.ts'
import { memoryConnector } from '#libs/connectors/memory/memory.ts'
import { memoryStore } from '#libs/connectors/memory/store.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { configOf } from '../../services/sync-worker/config.ts'
import { start } from '../../services/sync-worker/start.ts'
import { connectTo } from '../../test/support/nats-server.ts'

const [url = '', connections = '0'] = process.argv.slice(2)
const names = Array.from({ length: Number(connections) }, (_, n) => [`a${n}`, `b${n}`]).flat()
const memory = memoryConnector(new Map(names.map((name) => [name, { store: memoryStore(name) }])))
const bus = await connectTo([url], { name: 'sync-worker' })
const worker = await start(
  configOf(readEnv(process.env)),
  { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
  new Map([[memory.provider, memory]]),
)
process.on('disconnect', () => void worker.stop().then(() => process.exit(0)))
process.send?.('ready')

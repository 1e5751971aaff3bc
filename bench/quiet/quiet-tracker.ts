/** A tracker in a process of its own. argv: URL of NATS. Ends with who started it. */
import { systemClock } from '#libs/clock.ts'
import { readEnv } from '#libs/process/env.ts'
import { systemRandom } from '#libs/random.ts'
import { silentLog } from '#libs/telemetry/log.ts'
import { quietMetrics } from '#libs/telemetry/metrics.ts'
import { quietTracer } from '#libs/telemetry/trace.ts'
import { configOf } from '../../services/tracker/config.ts'
import { start } from '../../services/tracker/start.ts'
import { connectTo } from '../../test/support/nats-server.ts'

const [url = ''] = process.argv.slice(2)
const bus = await connectTo([url], { name: 'tracker' })
const tracker = await start(
  { ...configOf(readEnv(process.env)), httpPort: 0 },
  { bus, version: '0.0.0', env: {}, log: silentLog, tracer: quietTracer(systemRandom), metrics: quietMetrics, clock: systemClock, random: systemRandom },
)
process.on('disconnect', () => void tracker.stop().then(() => process.exit(0)))
process.send?.('ready')

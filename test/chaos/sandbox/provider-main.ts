/**
 * Runs one sandbox provider as a process of its own: node provider-main.ts [--port N] [--history FILE].
 * Prints `{"url": …}` once it listens; appends every request of the engine to FILE as records of history.ts.
 */
import { parseArgs } from 'node:util'
import { recorder } from '../history.ts'
import { startSandbox } from './provider.ts'

const { values } = parseArgs({ options: { port: { type: 'string' }, history: { type: 'string' } } })
const sandbox = await startSandbox({
  port: Number(values.port ?? 0),
  ...(values.history === undefined ? {} : { record: recorder(values.history).write }),
})
process.stdout.write(`${JSON.stringify({ url: sandbox.url })}\n`)
process.once('SIGTERM', () => void sandbox.stop())

/** ROOT of the command line: the process's arguments, environment and streams become an Io. */
import packageJson from '../package.json' with { type: 'json' }
import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'
import { makeProgram, runProgram } from './program.ts'

const noColour = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== ''

let interruption: AbortSignal | undefined
/** Only a command that waits takes the signals over: every other one ends by them, as any process does. */
const interrupted = (): AbortSignal => {
  if (interruption !== undefined) return interruption
  const controller = new AbortController()
  const on = (code: number) => () => {
    if (controller.signal.aborted) process.exit(code)
    controller.abort(code)
  }
  process.on('SIGINT', on(exitCodes.interrupted)).on('SIGTERM', on(143)).on('SIGHUP', on(129))
  return (interruption = controller.signal)
}

const io: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: async () => {
    const parts: Array<string> = []
    for await (const part of process.stdin.setEncoding('utf8')) parts.push(String(part))
    return parts.join('')
  },
  env: process.env,
  cwd: process.cwd(),
  isTty: process.stdout.isTTY,
  colour: process.stdout.isTTY && !noColour,
  // A terminal that does not know its size says 0
  columns: process.stdout.isTTY && process.stdout.columns > 0 ? process.stdout.columns : undefined,
  exit: (code) => {
    process.exitCode = code
  },
  get interrupted() {
    return interrupted()
  },
}

// `syncline get | head` closes the pipe: that is the reader's right, not a fault
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EIO') return // the terminal went away: what is running still drains, unheard
    if (error.code !== 'EPIPE') throw error
    process.exit(exitCodes.ok)
  })
}

const { registerUp } = await import('./commands/up.ts')
const program = makeProgram(io, packageJson.version, [registerUp])
if (process.argv.includes('--check')) io.stdout('cli: ok\n')
else {
  await runProgram(program, io, process.argv.slice(2)).catch((error: unknown) => {
    io.stderr(`syncline: a fault of ours: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    io.exit(exitCodes.failed)
  })
}

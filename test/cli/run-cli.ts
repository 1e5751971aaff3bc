/** Knows how a test calls the command line inside its own process, and what it answered. */
import { makeProgram, runProgram } from '../../cli/program.ts'
import type { Io } from '../../cli/io.ts'

export type Answered = {
  readonly code: number
  readonly out: string
  readonly err: string
  /** What `--json` printed; throws when that was not JSON. */
  readonly json: () => unknown
}

export type RunOptions = { readonly env?: Io['env']; readonly cwd?: string; readonly stdin?: string; readonly isTty?: boolean; readonly colour?: boolean; readonly interrupted?: AbortSignal; readonly onErr?: (text: string) => void }

export const runCli = async (args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Answered> => {
  let [code, out, err] = [0, '', '']
  const io: Io = {
    stdout: (text) => void (out += text),
    stderr: (text) => {
      err += text
      options.onErr?.(text)
    },
    stdin: () => Promise.resolve(options.stdin ?? ''),
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    isTty: options.isTty ?? false,
    colour: options.colour ?? false,
    columns: options.isTty === true ? 100 : undefined,
    exit: (given) => void (code = given),
    interrupted: options.interrupted ?? new AbortController().signal,
  }
  await runProgram(makeProgram(io, '1.2.3'), io, args)
  return { code, out, err, json: () => JSON.parse(out) as unknown }
}

/** Every call goes to this server. */
export const cliOn = (url: string, more: RunOptions = {}) => (line: string, options: RunOptions = {}): Promise<Answered> =>
  runCli(line.split(' '), { ...more, ...options, env: { NATS_URL: url, USER: 'ada', ...more.env, ...options.env } })

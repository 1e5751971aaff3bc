/** Knows what a command is called with, and the three ways it answers: lines for a person, JSON for a program, an exit code. */
import type { Command } from 'commander'
import { systemClock, type Clock } from '#libs/clock.ts'
import type { Io } from './io.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { refusalLine, type Refusal } from './refusal.ts'
import { withIsoTimes } from './render.ts'

/** Options of the program itself, which every command takes. */
export type Globals = {
  readonly server?: string
  readonly creds?: string
  readonly user?: string
  readonly password?: string
  readonly ca?: string
  readonly json?: boolean
  readonly quiet?: boolean
}

export type Call<Options = object, Args = ReadonlyArray<string>> = {
  readonly io: Io
  readonly clock: Clock
  readonly options: Options & Globals
  readonly args: Args
  /** A line for a person: not said with --json or --quiet. */
  readonly say: (line: string) => void
  /** The same as JSON: said only with --json. Times that are numbers become RFC 3339. */
  readonly json: (value: object) => void
  /** Beside the answer, on stderr: not said with --quiet. */
  readonly note: (line: string) => void
  /** Says why not, and answers the exit code. */
  readonly refuse: (refusal: Refusal) => ExitCode
}

/** What commander calls: runs the command and hands its exit code to the terminal. */
export const action = <Options = object, Args = ReadonlyArray<string>>(io: Io, run: (call: Call<Options, Args>) => Promise<ExitCode>) =>
  async (...given: ReadonlyArray<unknown>): Promise<void> => {
    const command = given.at(-1) as Command
    const code = await run(callOf(io, command.optsWithGlobals<Options & Globals>(), command.processedArgs as Args))
    io.exit(code)
  }

export const callOf = <Options, Args>(io: Io, options: Options & Globals, args: Args): Call<Options, Args> => {
  const isJson = options.json === true
  const isQuiet = options.quiet === true
  const json = (value: object): void => io.stdout(`${JSON.stringify(withIsoTimes(value), null, 2)}\n`)
  return {
    io, options, args, clock: systemClock,
    say: (line) => {
      if (!isJson && !isQuiet) io.stdout(`${line}\n`)
    },
    json: (value) => {
      if (isJson) json(value)
    },
    note: (line) => {
      if (!isQuiet) io.stderr(`${line}\n`)
    },
    refuse: (why) => {
      if (isJson) json({ error: { code: why.code, name: nameOf(why.code), message: why.message, mend: why.mend ?? null } })
      else io.stderr(`${refusalLine(why)}\n`)
      return why.code
    },
  }
}

const nameOf = (code: ExitCode): string => Object.entries(exitCodes).find(([, value]) => value === code)?.[0] ?? String(code)

/** Knows what a command is given of the terminal it runs on. Only main.ts makes one from the process. */
import type { Env } from '#libs/process/env.ts'

export type Io = {
  /** Each writes the text as it is: the caller ends its lines. */
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /** All of the standard input, for `-f -`. */
  readonly stdin: () => Promise<string>
  readonly env: Env
  readonly cwd: string
  /** Is stdout a terminal: progress lines are drawn only there. */
  readonly isTty: boolean
  /** Terminal, and NO_COLOR is not set. */
  readonly colour: boolean
  /** Width of the terminal in characters; undefined in a pipe. */
  readonly columns: number | undefined
  /** Commands set it; main.ts ends the process with it. See exit-codes.ts. */
  readonly exit: (code: number) => void
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP, with the exit code (130, 143, 129) as its reason; the second ends the process at once. */
  readonly interrupted: AbortSignal
}

/** Knows which commands there are, the options they share, and how a mistyped call ends. Reads neither arguments nor environment. */
import { Command, CommanderError } from 'commander'
import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'
import { registerApply } from './commands/apply.ts'
import { registerAudit } from './commands/audit.ts'
import { registerCancel } from './commands/cancel.ts'
import { registerCleanup } from './commands/cleanup.ts'
import { registerDelete } from './commands/delete.ts'
import { registerDlq } from './commands/dlq.ts'
import { registerDoctor } from './commands/doctor.ts'
import { registerExplain } from './commands/explain.ts'
import { registerGet } from './commands/get.ts'
import { registerHistory } from './commands/history.ts'
import { registerHold, registerRelease } from './commands/hold.ts'
import { registerApprove, registerRestore } from './commands/operate.ts'
import { registerPause, registerResume } from './commands/pause.ts'
import { registerProvision } from './commands/provision.ts'
import { registerReset, registerUndo } from './commands/reset.ts'
import { registerStats } from './commands/stats.ts'
import { registerStatus } from './commands/status.ts'
import { registerPlan, registerSync } from './commands/sync.ts'
import { registerVersions } from './commands/versions.ts'

export type Register = (program: Command, io: Io) => void

const usual: ReadonlyArray<Register> = [
  registerProvision, registerApply, registerGet, registerDelete, registerSync, registerPlan, registerStatus, registerExplain,
  registerHistory, registerStats, registerCancel, registerPause, registerResume, registerHold,
  registerRelease, registerApprove, registerDlq, registerVersions, registerRestore, registerUndo, registerReset, registerCleanup, registerAudit, registerDoctor,
]

/** `first`: commands shown before the others; `up` brings the services along, so it is given by whoever wants it. */
export const makeProgram = (io: Io, version: string, first: ReadonlyArray<Register> = []): Command => {
  const program = new Command('syncline')
    .description('Keeps pairs of systems in step, on NATS JetStream.')
    .version(version, '-V, --version', 'print the version')
    .option('--server <urls>', 'addresses of NATS, with commas between (else NATS_URL, else the local `syncline up`)')
    .option('--creds <file>', 'credentials file (else NATS_CREDS)')
    .option('--user <name>', 'NATS user (else NATS_USER)')
    .option('--password <text>', 'its password; others on this machine can see it here: better NATS_PASSWORD')
    .option('--ca <file>', 'certificate of the authority to trust (else NATS_CA)')
    .option('--json', 'answer as JSON; times as RFC 3339')
    .option('-q, --quiet', 'say nothing but errors: the exit code tells')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr, getOutHasColors: () => io.colour, getErrHasColors: () => io.colour })
    .showSuggestionAfterError()
    .exitOverride()
    .helpCommand(false)
    .addHelpText('after', '\nExamples:\n  $ npm start                            everything on this machine, with an example\n  $ syncline apply -f sync.yaml\n  $ syncline sync contacts --wait\n  $ syncline explain contacts\n\nExit codes: docs/cli.md')
  for (const register of [...first, ...usual]) register(program, io)
  return program
}

/** Resolves when the command is done; its exit code went to `io.exit`. Rejects only for a fault of ours. */
export const runProgram = async (program: Command, io: Io, args: ReadonlyArray<string>): Promise<void> => {
  try {
    if (args.length === 0) {
      program.outputHelp()
      return
    }
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version end a call too, and well
    io.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage)
  }
}

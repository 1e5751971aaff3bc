/** Knows how a command ends, for scripts. docs/cli.md lists the same; a test holds the two together. */

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  busy: 4,
  partial: 5,
  held: 6,
  timedOut: 7,
  notRun: 8,
  interrupted: 130,
} as const

export type ExitName = keyof typeof exitCodes
export type ExitCode = (typeof exitCodes)[ExitName]

export const exitMeanings: Readonly<Record<ExitName, string>> = {
  ok: 'done; with --wait: the run succeeded',
  failed: 'it failed: the run ended as failed or dead, NATS or a service does not answer, something differs',
  usage: 'wrong arguments, mistakes in the configuration, or a `--confirm` that is missing',
  notFound: 'there is no such connection, dead letter or version, or nothing to cancel',
  busy: 'not now: the connection is queued, running or paused, or somebody else wrote at the same time',
  partial: 'it came to its end, but a flow failed, records were set aside, or some of what was asked for was left alone',
  held: 'a guard or a person held the run before its first write; somebody must look',
  timedOut: 'waited as long as --timeout allows; the run goes on',
  notRun: 'the run was cancelled or skipped',
  interrupted: 'Ctrl-C; a run that was waited for goes on',
}

/** `syncline dlq redrive` and `discard`: letters one by one, or all that a filter leaves. */
import { Option, type Command } from 'commander'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { askTracker } from '../ask-services.ts'
import { asker } from '../audit.ts'
import { action, type Call } from '../call.ts'
import { choice, chosen, filterOptions, tellChosen, type DeadFilter } from '../dead-filter.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { sequences } from '../option-values.ts'
import { refusal, type Refusal } from '../refusal.ts'
import { Discarded, readAnswer, Redriven, RedrivenMany, type DeadLine } from '../tracker-answers.ts'

type RedriveOptions = DeadFilter & { readonly reason?: string; readonly dryRun?: boolean }
type DiscardOptions = DeadFilter & { readonly reason: string; readonly dryRun?: boolean; readonly confirm?: boolean }
type Args = readonly [seqs?: ReadonlyArray<number>]

export const registerDlqRedrive = (dlq: Command, io: Io): void => {
  filterOptions(dlq.command('redrive').description('ask for a run again, and take the letter out').argument('[seq...]', 'as `ls` shows them', sequences))
    .option('--dry-run', 'only say which and how many')
    .option('--reason <text>', 'why; kept in the history of the run and in the audit')
    .addHelpText('after', '\nChosen by options, each connection gets one run for all of its letters. Letters of connections that are paused or gone stay.\n\nExamples:\n  $ syncline dlq redrive 12 13 --reason "password renewed"\n  $ syncline dlq redrive --conn contacts --error-class unavailable --since 1h --dry-run\n  $ syncline dlq redrive --all')
    .action(action<RedriveOptions, Args>(io, async (call) => {
      const how = choice(call.args[0], call.options)
      if (E.isLeft(how)) return call.refuse(how.left)
      return onBus(call, (bus) => (how.right === 'named' ? redriveNamed(call, bus) : redriveChosen(call, bus)))
    }))
}

export const registerDlqDiscard = (dlq: Command, io: Io): void => {
  filterOptions(dlq.command('discard').description('take letters out for good').argument('[seq...]', 'as `ls` shows them', sequences))
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .addOption(new Option('--confirm', 'needed where letters are chosen by options').conflicts('dryRun'))
    .option('--dry-run', 'only say which and how many')
    .addHelpText('after', '\nExamples:\n  $ syncline dlq discard 12 --reason "the account was closed"\n  $ syncline dlq discard --conn old --type parked-record --reason "replaced" --confirm')
    .action(action<DiscardOptions, Args>(io, async (call) => {
      const how = choice(call.args[0], call.options)
      if (E.isLeft(how)) return call.refuse(how.left)
      return onBus(call, (bus) => (how.right === 'named' && call.options.dryRun !== true ? discardAll(call, bus, call.args[0] ?? []) : discardChosen(call, bus)))
    }))
}

/** One after the other: the first refusal ends it, and says what was done before. */
const redriveNamed = (call: Call<RedriveOptions, Args>, bus: Bus): Promise<ExitCode> => {
  const { reason, dryRun } = call.options
  if (dryRun === true) return preview(call, bus, 'redrive')
  return each(call, call.args[0] ?? [], async (seq) => {
    const asked = await askTracker(bus, 'dlq-redrive', { seq, ...asker(call.io), ...(reason === undefined ? {} : { reason }) })
    const answer = E.isLeft(asked) ? asked : readAnswer(Redriven, asked.right)
    if (E.isRight(answer)) {
      call.say(`${seq}: run ${answer.right.run} of ${answer.right.connection} was asked for`)
      if (answer.right.note !== undefined) call.note(answer.right.note)
    }
    return answer
  })
}

/** The tracker answers within seconds: it is asked for so many at once. */
const atOnce = 200

const redriveChosen = async (call: Call<RedriveOptions, Args>, bus: Bus): Promise<ExitCode> => {
  const { reason, dryRun } = call.options
  if (dryRun === true) return preview(call, bus, 'redrive')
  const lines = await chosen(bus, call.options, call.clock.now())
  if (E.isLeft(lines)) return call.refuse(lines.left)
  // Sorted by connection, so that no connection is asked for by several questions without need.
  const seqs = [...lines.right].sort((a, b) => (a.connection < b.connection ? -1 : a.connection > b.connection ? 1 : a.seq - b.seq)).map(({ seq }) => seq)
  const runs: Array<RedrivenMany['runs'][number]> = []
  const refused: Array<RedrivenMany['refused'][number]> = []
  for (let from = 0; from < seqs.length; from += atOnce) {
    const asked = await askTracker(bus, 'dlq-redrive', { seqs: seqs.slice(from, from + atOnce), ...asker(call.io), ...(reason === undefined ? {} : { reason }) })
    const answer = E.isLeft(asked) ? asked : readAnswer(RedrivenMany, asked.right)
    if (E.isLeft(answer)) return call.refuse(refusal(answer.left.code, `${answer.left.message} (${runs.reduce((sum, { redriven }) => sum + redriven.length, 0)} of ${seqs.length} were redriven)`, answer.left.mend))
    runs.push(...answer.right.runs)
    refused.push(...answer.right.refused)
  }
  for (const { connection, run, redriven, note } of runs) {
    call.say(`${connection}: run ${run} was asked for, for ${redriven.length} ${redriven.length === 1 ? 'letter' : 'letters'}`)
    if (note !== undefined) call.note(note)
  }
  for (const { seqs: those, message, mend } of refused) call.note(`${those.join(', ')}: ${message}${mend === undefined ? '' : `; ${mend}`}`)
  if (seqs.length === 0) call.say('there are none such')
  call.json({ runs, refused })
  return refused.length === 0 ? exitCodes.ok : runs.length === 0 ? exitCodes.failed : exitCodes.partial
}

const discardChosen = async (call: Call<DiscardOptions, Args>, bus: Bus): Promise<ExitCode> => {
  const { confirm, dryRun } = call.options
  if (confirm !== true) {
    const shown = await preview(call, bus, 'discard')
    if (shown !== exitCodes.ok || dryRun === true) return shown
    call.note('syncline: nothing was discarded yet; say --confirm to do it')
    return exitCodes.usage
  }
  const lines = await chosen(bus, call.options, call.clock.now())
  if (E.isLeft(lines)) return call.refuse(lines.left)
  if (lines.right.length === 0) call.say('there are none such')
  return discardAll(call, bus, lines.right.map(({ seq }) => seq))
}

const discardAll = (call: Call<DiscardOptions, Args>, bus: Bus, seqs: ReadonlyArray<number>): Promise<ExitCode> =>
  each(call, seqs, async (seq) => {
    const asked = await askTracker(bus, 'dlq-discard', { seq, reason: call.options.reason, ...asker(call.io) })
    const answer = E.isLeft(asked) ? asked : readAnswer(Discarded, asked.right)
    if (E.isRight(answer)) call.say(`${seq}: discarded`)
    return answer
  })

const preview = async (call: Call<DeadFilter, Args>, bus: Bus, would: string): Promise<ExitCode> => {
  const named = new Set(call.args[0] ?? [])
  const lines = await chosen(bus, call.options, call.clock.now())
  if (E.isLeft(lines)) return call.refuse(lines.left)
  const those: ReadonlyArray<DeadLine> = named.size === 0 ? lines.right : lines.right.filter(({ seq }) => named.has(seq))
  tellChosen(call, those, would)
  call.json({ dryRun: true, count: those.length, dead: those })
  return exitCodes.ok
}

const each = async (call: Call<object, Args>, seqs: ReadonlyArray<number>, perform: (seq: number) => Promise<E.Either<Refusal, object>>): Promise<ExitCode> => {
  const done: Array<object> = []
  for (const seq of seqs) {
    const performed = await perform(seq)
    if (E.isLeft(performed)) {
      const { code, message, mend } = performed.left
      return call.refuse(refusal(code, done.length === 0 ? message : `${message} (${done.length} of ${seqs.length} were done)`, mend))
    }
    done.push(performed.right)
  }
  call.json({ done })
  return exitCodes.ok
}

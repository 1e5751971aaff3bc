/** Knows how the end of a run is told to a person, and which exit code it means. Pure. */
import type { Counts, FlowResult, RunResult } from '#libs/contracts/result.ts'
import type { Outcome } from '#libs/domain/states.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { countsText, spanText, stateColour, table, type Paint } from './render.ts'

export const exitOf = (outcome: Outcome): ExitCode => {
  switch (outcome) {
    case 'succeeded':
      return exitCodes.ok
    case 'partial':
      return exitCodes.partial
    case 'held':
      return exitCodes.held
    case 'cancelled':
    case 'skipped':
      return exitCodes.notRun
    case 'failed':
    case 'dead':
      return exitCodes.failed
  }
}

export const resultLines = (result: RunResult, paint: Paint): ReadonlyArray<string> => {
  const took = result.outcome === 'skipped' ? '' : ` in ${spanText(result.finishedAt - result.startedAt)}`
  const attempt = result.attempt > 1 ? `, attempt ${result.attempt}` : ''
  const isDry = result.dryRun === true
  const lines = [`${result.conn}: ${isDry ? 'dry run ' : ''}${paint(stateColour(result.outcome), result.outcome)}${took}${attempt} (run ${result.run})`]
  if (result.reason !== undefined) lines.push(`  ${result.reason}`)
  const showsMoves = isDry || result.asked?.what === 'undo'
  for (const flow of result.flows) {
    const isNamed = result.flows.length > 1 || flow.flow !== 'main'
    lines.push(...(flow.forgets === undefined ? flowLines(flow, isNamed, { isDry, showsMoves }, paint) : resetLines(flow, flow.forgets, isNamed, isDry)))
  }
  const { error } = result
  if (error !== undefined && !result.flows.some((flow) => flow.error?.message === error.message)) lines.push(...errorLines(error, paint))
  if (result.traceId !== undefined && exitOf(result.outcome) !== exitCodes.ok) lines.push(`  trace ${result.traceId}`)
  return lines
}

/** The first error of a run, in one line. */
export const errorText = (result: RunResult): string | undefined =>
  result.error?.message ?? result.flows.find(({ error }) => error !== undefined)?.error?.message ?? result.reason

export const sumOf = (result: RunResult): Counts => {
  const sum: Counts = { read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0 }
  for (const { counts } of result.flows) for (const name of Object.keys(sum) as ReadonlyArray<keyof Counts>) sum[name] += counts[name]
  return sum
}

const resetLines = ({ flow, links }: FlowResult, { cursor, links: forgotten, parked, next }: NonNullable<FlowResult['forgets']>, isNamed: boolean, isDry: boolean): ReadonlyArray<string> => {
  const name = isNamed ? `flow ${flow}: ` : ''
  const what = [...(cursor ? ['where it was read to'] : []), ...(forgotten > 0 ? [`${forgotten} links${parked > 0 ? `, ${parked} of them set aside` : ''}`] : [])]
  const then = next === 'first'
    ? 'a first sync: what is equal is linked, what differs is a conflict, what is missing is created, nothing is deleted'
    : `compares everything, with its ${links ?? 0} links as the base`
  return [`  ${name}${isDry ? 'would forget' : 'forgot'} ${what.length === 0 ? 'nothing, there is nothing' : what.join(' and ')}`, `  ${name}the next run: ${then}`]
}

type Showing = { readonly isDry: boolean; readonly showsMoves: boolean }

const flowLines = (flow: FlowResult, isNamed: boolean, { isDry, showsMoves }: Showing, paint: Paint): ReadonlyArray<string> => {
  const name = isNamed ? `flow ${flow.flow} ${paint(stateColour(flow.outcome), flow.outcome)}: ` : ''
  const phase = flow.phase === 'delta' ? '' : ` (${flow.phase === 'first' ? 'first sync' : 'everything was listed again'})`
  const parked = (flow.parkedNow ?? 0) > 0 ? `; ${flow.parkedNow} set aside in all` : ''
  const lines = [`  ${name}${countsText(flow.counts)}${phase}${parked}`]
  if (flow.heldBy !== undefined) lines.push(`  ${paint('yellow', flow.heldBy === 'person' ? 'held by a person' : `held by the guard ${flow.heldBy}`)}`)
  if (flow.error !== undefined) lines.push(...errorLines(flow.error, paint))
  for (const warning of flow.warnings ?? []) lines.push(`  ${paint('yellow', 'warning')}: ${warning}`)
  if (showsMoves || flow.heldBy !== undefined) lines.push(...moveLines(flow, isDry, paint))
  return lines
}

const errorLines = ({ message, mend, side, item, code }: NonNullable<FlowResult['error']>, paint: Paint): ReadonlyArray<string> => {
  const where = [side, item].filter((one) => one !== undefined).join(' ')
  return [
    `  ${paint('red', 'error')}: ${where === '' ? '' : `${where}: `}${message}${code === undefined ? '' : ` [${code}]`}`,
    ...(mend === undefined ? [] : [`  what to do: ${mend}`]),
  ]
}

const moveLines = ({ moves = [], movesTotal = moves.length, plan }: FlowResult, isDry: boolean, paint: Paint): ReadonlyArray<string> => {
  const name = plan === undefined ? '' : ` (plan ${plan})`
  if (movesTotal === 0) return [`  nothing to do${name}`]
  const rows = moves.map((move) => [move.do, move.on ?? '', move.key, move.of ?? ''])
  const more = movesTotal > moves.length ? [`  … and ${movesTotal - moves.length} more`] : []
  return [`  ${movesTotal} ${movesTotal === 1 ? 'move' : 'moves'}${isDry ? ', nothing was written' : ''}${name}`, ...table(['DO', 'ON', 'ITEM', 'WHY'], rows, paint).map((line) => `    ${line}`), ...more]
}

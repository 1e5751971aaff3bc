/** Knows how a chaos run and its verdict are told to a person. */
import { check, type Verdict } from './checker/check.ts'
import { tell } from './checker/tell.ts'
import type { HistoryRecord } from './history.ts'
import type { RunDone } from './run.ts'

export type Report = { readonly text: string; readonly isOk: boolean; readonly verdict: Verdict }

export const reportOf = ({ history, canaries, converged, ops, strikes }: RunDone, { seed, minutes }: { readonly seed: number; readonly minutes: number }): Report => {
  const of = <Is extends HistoryRecord['is']>(is: Is) => history.filter((record): record is Extract<HistoryRecord, { is: Is }> => record.is === is)
  const verdict = check(history, canaries)
  const lines = [
    '',
    `seed ${seed}, ${minutes} min of load and nemeses${converged ? '' : ', NOT CONVERGED'}`,
    `ops      ok ${ops.ok}, fail ${ops.fail}, unknown ${ops.unknown}`,
    `nemeses  ${counted(strikes.map(({ what, target }) => (what === 'mischief' ? `sandbox-${target}` : what)))}`,
    `runs     ${counted(of('result').map(({ outcome }) => outcome))}; fenced ${of('log').filter(({ event }) => event === 'run.fenced').length}`,
    tell(verdict),
  ]
  return { text: lines.join('\n'), isOk: converged && verdict.verdict === 'ok', verdict }
}

const counted = (names: ReadonlyArray<string>): string => {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([, x], [, y]) => y - x).map(([name, count]) => `${name} ${count}`).join(', ')
}

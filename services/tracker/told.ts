/** Knows what a result says to a person: its failure, its sums, whether it belongs in the history. Does not know what is kept. */
import type { Counts, RunResult } from '#libs/contracts/result.ts'

export type Told = { readonly message: string; readonly mend?: string }

/** Why a run did not do all it should; undefined for a run that did, was cancelled, held, or only parked records. */
export const failureOf = (result: RunResult): Told | undefined => {
  switch (result.outcome) {
    case 'succeeded':
    case 'cancelled':
    case 'skipped':
    case 'held':
      return undefined
    case 'partial':
      return flowFailure(result)
    case 'failed':
    case 'dead':
      return whole(result) ?? flowFailure(result) ?? { message: result.reason ?? `the run ended as ${result.outcome}` }
  }
}

const whole = ({ error }: RunResult): Told | undefined =>
  error === undefined ? undefined : toldBy(error.flow === undefined ? '' : `flow ${error.flow}: `, error)

const flowFailure = (result: RunResult): Told | undefined => {
  const flow = result.flows.find((one) => one.outcome === 'failed')
  if (flow === undefined) return undefined
  return flow.error === undefined ? { message: `flow ${flow.flow} failed` } : toldBy(`flow ${flow.flow}: `, flow.error)
}

const toldBy = (where: string, error: { readonly message: string; readonly mend?: string | undefined }): Told => ({
  message: where + error.message,
  ...(error.mend === undefined ? {} : { mend: error.mend }),
})

/** DESIGN §6: a quiet run makes no entry of its own unless a person asked for it. */
export const isEntry = (result: RunResult): boolean =>
  result.outcome !== 'skipped' && (!result.quiet || result.cause === 'manual' || result.cause === 'redrive')

export const noCounts: Counts = {
  read: 0, created: 0, updated: 0, deleted: 0, adopted: 0, unchanged: 0, conflicts: 0, held: 0, parked: 0, drifted: 0,
}

const countNames = Object.keys(noCounts) as ReadonlyArray<keyof Counts>

export const addCounts = (a: Counts, b: Counts): Counts => {
  const sum = { ...a }
  for (const name of countNames) sum[name] += b[name]
  return sum
}

export const countsOf = (result: RunResult): Counts => result.flows.reduce((sum, flow) => addCounts(sum, flow.counts), noCounts)

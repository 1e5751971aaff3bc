/** Knows how a verdict is told to a person: a line for each invariant, then what is wrong, with its trace. */
import type { Verdict } from './check.ts'

const mostTold = 5

export const tell = ({ verdict, unknownShare, invariants }: Verdict): string =>
  [
    `verdict: ${verdict}${unknownShare > 0 ? ` (${Math.round(unknownShare * 100)} % of the ops have an unknown outcome)` : ''}`,
    ...invariants.map(({ name, says, standing, checked, violations }) =>
      `  ${name.padEnd(4)} ${standing.padEnd(12)} ${says}: ${checked} checked${violations.length > 0 ? `, ${violations.length} violated` : ''}`),
    ...invariants.flatMap(({ name, violations }) => violations.slice(0, mostTold).flatMap(({ message, trace }) => ['', `${name}: ${message}`, ...trace.map((record) => `    ${JSON.stringify(record)}`)])),
  ].join('\n')

/**
 * I12: secrets, and what people wrote, stand in no log and in no result. The clients' values are unique, so each of them is a
 * canary of its own; secrets are told to the checker.
 */
import type { HistoryRecord } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import type { Story } from './story.ts'

/** What tells of runs, and never holds content. Archived versions and final dumps hold it by their nature. */
const silentKinds = ['log', 'result', 'final-status', 'admitted'] as const

/** Where no secret may stand, content or not. */
const stores = [...silentKinds, 'publish', 'dead', 'archived', 'final-link'] as const

const judge = (story: Story): Found => {
  const values = new Set(story.all('op').flatMap(({ value }) => (value === null ? [] : [value])))
  const violations: Array<Violation> = []
  const texts = (kinds: ReadonlyArray<(typeof stores)[number]>) => kinds.flatMap((kind): ReadonlyArray<HistoryRecord> => story.all(kind)).map((record) => ({ record, text: JSON.stringify(record) }))
  const quiet = values.size === 0 ? [] : texts(silentKinds)
  for (const { record, text } of quiet) {
    const found = text.match(valuePattern)?.find((one) => values.has(one))
    if (found !== undefined) violations.push({ message: `the content ${found} stands in a record of kind "${record.is}"`, trace: [record] })
  }
  const kept = story.secrets.length === 0 ? [] : texts(stores)
  for (const { record, text } of kept) {
    if (story.secrets.some((secret) => text.includes(secret))) violations.push({ message: `a secret stands in a record of kind "${record.is}"`, trace: [record] })
  }
  return { checked: quiet.length + kept.length, violations }
}

/** As the clients make them: history.ts. */
const valuePattern = /\bw\d+-\d+\b/g

export const secrets: Invariant = { name: 'I12', says: 'no secret and no content where they do not belong', judge }

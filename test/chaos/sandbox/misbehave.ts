/** Knows what becomes of an answer under one fault. `applied`: the request changed what stands there. */
import { randomInt } from 'node:crypto'
import type { Answer } from './answer.ts'
import type { Page } from './collection.ts'
import type { Fault, Verb } from './fault.ts'

export type Sent = { readonly answer: Answer; readonly applied: boolean; readonly isLost?: boolean; readonly isCut?: boolean }

export const misbehaved = (fault: Fault | undefined, answer: () => Answer, { verb, asked, again }: { readonly verb: Verb; readonly asked: string | null; readonly again: (page: Page) => unknown }): Sent => {
  switch (fault?.do) {
    case undefined:
    case 'slow':
      return honest(answer())
    case '401': case '403': case '404': case '410': case '429': case '500': case '503':
      return { answer: { status: Number(fault.do), ...(fault.do === '410' ? { body: { error: 'fullSyncRequired' } } : {}) }, applied: false }
    case 'cut':
      return { answer: { status: 0 }, applied: false, isLost: true }
    case 'lost-response': {
      const done = honest(answer())
      return { ...done, answer: { ...done.answer, status: 0 }, isLost: true }
    }
    case 'truncated':
      return { ...honest(answer()), isCut: true }
    case 'amnesia':
      return verb === 'GET' ? { answer: { status: 404 }, applied: false } : paged(answer(), nothing(asked), again)
    case 'empty':
      return paged(answer(), nothing(asked), again)
    case 'no-token':
      return paged(answer(), ({ items, coverage }) => ({ items, coverage }), again)
    case 'duplicated':
      return paged(answer(), (page) => ({ ...page, items: page.items.flatMap((item) => [item, item]) }), again)
    case 'no-etag': {
      const { answer: { body: _body, etag: _etag, ...bare }, ...done } = honest(answer())
      return { ...done, answer: bare }
    }
    case 'flaky-etags':
      return paged(answer(), (page) => ({ ...page, items: page.items.map((item) => ('deleted' in item ? item : { ...item, rev: item.rev + randomInt(1_000_000_000) })) }), again)
    case 'shuffled':
      return paged(answer(), (page) => ({ ...page, items: [...page.items].reverse() }), again)
  }
}

const honest = (answer: Answer): Sent => ({ answer, applied: answer.changed !== undefined && ['created', 'updated', 'deleted'].includes(answer.changed.is) })

/** An empty delta says to come again with the token that was asked with, so that nothing is passed over for good. */
const nothing = (asked: string | null) => ({ coverage, nextPageToken, nextSyncToken }: Page): Page => {
  const [, era = '', place = ''] = (coverage === 'delta' ? (asked ?? '') : (nextSyncToken ?? nextPageToken ?? '')).split('.')
  return { items: [], coverage, nextSyncToken: `s.${era}.${place}` }
}

const paged = (answer: Answer, change: (page: Page) => Page, again: (page: Page) => unknown): Sent => {
  if (answer.page === undefined) return honest(answer)
  const page = change(answer.page)
  return { answer: { ...answer, page, body: again(page) }, applied: false }
}

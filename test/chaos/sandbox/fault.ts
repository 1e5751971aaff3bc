/** Knows what the sandbox provider can be told to do wrong, and to which requests of the engine. Clients are always served. */
import type { Remote } from '../history.ts'

export type Mischief =
  /** Refused before anything happens. `retryAfterS` sends Retry-After. */
  | '401' | '403' | '404' | '410' | '429' | '500' | '503'
  /** Nothing is there: listings are complete and empty, what is asked for by id is not found. */
  | 'amnesia'
  /** A complete, empty listing; what is asked for by id is there. A delta is empty and does not move on. */
  | 'empty'
  /** A page cut in the middle of its JSON. */
  | 'truncated'
  /** A last page that says neither where the listing goes on nor that it is over. */
  | 'no-token'
  /** A page that says everything twice, or in another order. */
  | 'duplicated' | 'shuffled'
  /** A write is answered without its item and its etag; or what is listed has another etag every time. */
  | 'no-etag' | 'flaky-etags'
  /** The answer comes `ms` later. */
  | 'slow'
  /** The line breaks before the request does anything, or after it was done. */
  | 'cut' | 'lost-response'

export type Verb = Remote['verb']

export type Fault = {
  readonly do: Mischief
  /** Only so many requests; absent = until it is taken away. */
  readonly times?: number
  readonly collection?: string
  readonly verbs?: ReadonlyArray<Verb>
  readonly worker?: string
  readonly ms?: number
  readonly retryAfterS?: number
}

export type Asked = { readonly collection: string; readonly verb: Verb; readonly worker: string | undefined }

/** The faults that stand; each `strike` uses up one time of the first that fits. */
export const faultsOf = () => {
  let standing: Array<{ readonly fault: Fault; left: number }> = []
  return {
    set: (faults: ReadonlyArray<Fault>): void => { standing = faults.map((fault) => ({ fault, left: fault.times ?? Infinity })) },
    add: (fault: Fault): void => void standing.push({ fault, left: fault.times ?? Infinity }),
    strike: ({ collection, verb, worker }: Asked): Fault | undefined => {
      if (worker === undefined) return undefined
      const found = standing.find(({ fault, left }) =>
        left > 0 && fits(fault.collection, collection) && fits(fault.worker, worker) && (fault.verbs === undefined || fault.verbs.includes(verb)) && isMeant(fault.do, verb))
      if (found === undefined) return undefined
      found.left -= 1
      return found.fault
    },
  }
}

const fits = (wanted: string | undefined, is: string): boolean => wanted === undefined || wanted === is

const pages = new Set<Mischief>(['empty', 'truncated', 'no-token', 'duplicated', 'shuffled', 'flaky-etags'])

const isMeant = (mischief: Mischief, verb: Verb): boolean => {
  if (pages.has(mischief)) return verb === 'LIST' || verb === 'DELTA'
  if (mischief === 'amnesia') return verb === 'LIST' || verb === 'GET'
  if (mischief === 'no-etag') return verb === 'CREATE' || verb === 'UPDATE'
  return mischief !== '410' || verb === 'DELTA'
}

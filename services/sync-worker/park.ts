/** Knows how one item is set aside so that the rest can go on, and when there are too many of them (R 17.4). Pure. */
import type { ParkedRecord } from '#libs/contracts/dead-letter.ts'
import type { Guards } from '#libs/domain/connection.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { SideName } from './classify.ts'

export type Trouble = { readonly key: string; readonly side: SideName; readonly why: string; readonly remoteId?: string; readonly version?: string | null; readonly code?: string; readonly mend?: string }

export const parkedRecord = (conn: string, flow: string, run: string, at: number, trouble: Trouble): ParkedRecord => ({ conn, flow, run, at, ...trouble })

/** More than ten and more than half of what was read. */
export const badDefaults = { count: 10, share: 0.5 } as const

/** `tooFar`: why items may not be carried on, when that is what is wrong with some of them. */
export const tooManyBad = (parked: number, read: number, guards: Guards, tooFar?: string): SyncFailure | undefined => {
  const share = guards.maxBadShare ?? badDefaults.share
  if (parked <= badDefaults.count || parked <= share * read) return undefined
  return {
    is: 'needs-person',
    message: `${parked} of ${read} records could not be synced: more than ${Math.round(share * 100)} %${tooFar === undefined ? '' : `; ${tooFar}`}`,
    mend: tooFar !== undefined ? 'let a connection lead here from nearer to where they are born; the cursor has not moved' : 'look at them with `syncline dlq ls`, mend the source or raise guards.maxBadShare; the cursor has not moved',
  }
}

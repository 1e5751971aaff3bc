/** Knows what a redrive of a dead letter asks for: what a person made of it, else what the message itself asked for. Pure. */
import { decode } from '#libs/contracts/decode.ts'
import type { RedriveWish } from '#libs/contracts/redrive-wish.ts'
import { SyncRequest } from '#libs/contracts/request.ts'
import { streams } from '#libs/contracts/subjects.ts'
import { WorkItem } from '#libs/contracts/work-item.ts'
import type { Dead } from './present.ts'

export const wishOf = (dead: Dead): RedriveWish => {
  // A parked item is looked at again only by a complete listing: a delta would not mention it (R 17.4)
  if (dead.type === 'parked-record') return { mode: 'full' }
  if (dead.type === 'unreadable') return {}
  const { request, body, bodyBase64, stream } = dead.letter
  if (request !== undefined) return request
  if (bodyBase64 === true) return {}
  const bytes = new TextEncoder().encode(body)
  const asked = stream === streams.requests ? decode(SyncRequest, bytes) : decode(WorkItem, bytes)
  if (asked._tag === 'Left') return {}
  const { mode, dryRun } = asked.right
  return { ...(mode === undefined ? {} : { mode }), ...(dryRun === undefined ? {} : { dryRun }) }
}

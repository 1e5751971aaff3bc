/** KV `sync_scheduler`, key `shard-<n>`: every slot due up to here was said. Written by the scheduler only, forward only. */
import * as t from 'io-ts'
import { contract } from './decode.ts'

/** `upTo` in ms since the epoch. */
export const Watermark = contract('watermark.1', t.type({ upTo: t.number }))

/** One shard for now: every replica serves all connections, and the ids of what they say make that harmless. */
export const shardKey = 'shard-0'

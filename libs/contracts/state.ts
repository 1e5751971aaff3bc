/** What stands in KV `sync_state`: written by the lease holder only, every write conditional on the lease (SYNC.md §A.1). */
import * as t from 'io-ts'
import { Checkpoint } from '../domain/checkpoint.ts'
import { Link } from '../domain/link.ts'
import { contract } from './decode.ts'

/** `lease.<conn>`: who plays the connection now. `n` counts the commits of the run (barrier of NATS.md §3.3). */
export const LeaseEntry = contract('lease.1', t.intersection([
  t.type({ owner: t.string, nonce: t.string, run: t.string, n: t.number, free: t.boolean }),
  t.partial({
    /** Errors of the work item's earlier attempts: they travel with the lease until a dead letter needs them. */
    attempts: t.array(t.type({ attempt: t.number, at: t.number, error: t.string })),
  }),
]))
export type LeaseEntry = t.TypeOf<typeof LeaseEntry.codec>

export const CheckpointEntry = contract('checkpoint.1', Checkpoint)

/** `page.<conn>.<flow>.<n>`: link key → link. */
export const LedgerPage = contract('ledger-page.1', t.type({ links: t.record(t.string, Link) }))
export type LedgerPage = t.TypeOf<typeof LedgerPage.codec>

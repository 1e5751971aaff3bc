/** KV `sync_connections`, key `<conn>`: written by `syncline apply`, heard by scheduler, worker and tracker through a watch. */
import * as t from 'io-ts'
import { Connection } from '../domain/connection.ts'
import { contract } from './decode.ts'

export const ConnectionDocument = contract('connection.1', t.intersection([
  t.type({ connection: Connection, appliedAt: t.number }),
  t.partial({
    appliedBy: t.string,
    /** How many connections were applied together: above 20 their first syncs are spread (DESIGN §13). */
    appliedTogether: t.number,
  }),
]))
export type ConnectionDocument = t.TypeOf<typeof ConnectionDocument.codec>

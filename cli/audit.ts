/** Knows how the command line says what a person had it do, before it does it (R 15.6), and who that is. */
import { AuditRecord } from '#libs/contracts/audit.ts'
import { encode } from '#libs/contracts/decode.ts'
import { headerNames, streams, subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { publish } from '#libs/nats/publish.ts'
import type { Io } from './io.ts'
import { refusalOf, type Refusal } from './refusal.ts'

/** Left: it is not stored, and so what it speaks of must not be done. */
export const audit = async (bus: Bus, record: AuditRecord): Promise<E.Either<Refusal, void>> => {
  const stored = await publish(bus)(subjects.audit(record.conn), encode(AuditRecord, record), { headers: { [headerNames.schema]: AuditRecord.schema } })()
  return E.bimap(refusalOf(`the record in ${streams.audit} cannot be stored`), () => undefined)(stored)
}

export const asker = (io: Pick<Io, 'env'>): { readonly by?: string } => {
  const by = io.env['USER']
  return by === undefined || by === '' ? {} : { by }
}

/** Fields of a record that a person gives. */
export const why = (reason: string | undefined): { readonly reason?: string } => (reason === undefined ? {} : { reason })

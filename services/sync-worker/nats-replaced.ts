/** Knows how versions that are about to be replaced are kept in the archive: all at once, and one that no message can hold in parts. */
import { ArchivedPart, ArchivedVersion } from '#libs/contracts/archive.ts'
import { encode } from '#libs/contracts/decode.ts'
import { messageIds, subjects } from '#libs/contracts/subjects.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import { linkKey } from '#libs/domain/record.ts'
import { E, pipe, TE } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { splitVersion } from '#libs/nats/large-version.ts'
import { publishMany, type OneOfMany } from '#libs/nats/publish-many.ts'
import { publish } from '#libs/nats/publish.ts'
import { headersOf, told } from './nats-said.ts'
import type { Ports, Replaced } from './ports.ts'

export const sayArchived = (bus: Bus): Ports['sayArchived'] => {
  const send = publish(bus)
  const sendMany = publishMany(bus)

  const storePart = ({ conn, flow, run, key }: ArchivedVersion, msgId: string, trace: string | undefined) => (n: number, data: string): Promise<E.Either<NatsFailure, number>> =>
    pipe(
      send(subjects.archivedPart(conn, flow, linkKey(conn, flow, key)), encode(ArchivedPart, { conn, flow, run, n, data }), { msgId: messageIds.archivedPart(msgId, n), headers: headersOf(ArchivedPart, trace), retryTimeouts: true }),
      TE.map(({ seq }) => seq),
    )()
  const inParts = (version: ArchivedVersion, { subject, msgId }: OneOfMany, trace: string | undefined): TE.TaskEither<NatsFailure, unknown> =>
    pipe(
      () => splitVersion(version, bus.maxPayload(), storePart(version, msgId, trace)),
      TE.chain((split) => send(subject, encode(ArchivedVersion, split), { msgId, headers: headersOf(ArchivedVersion, trace), retryTimeouts: true })),
    )

  return (replaced, trace) => async () => {
    const messages = replaced.map(messageOf)
    const failures = await sendMany(messages, headersOf(ArchivedVersion, trace))
    let failed: SyncFailure | undefined
    for (const [at, failure] of failures) {
      const [one, message] = [replaced[at], messages[at]]
      if (one === undefined || message === undefined) continue
      const stored = failure.is === 'too-large' ? await inParts(one.version, message, trace)() : E.left(failure)
      if (E.isLeft(stored)) failed ??= told(message.subject)(stored.left)
    }
    return failed === undefined ? E.right(undefined) : E.left(failed)
  }
}

const messageOf = ({ version, hash }: Replaced): OneOfMany => {
  const { conn, flow, run, side, became } = version
  const key = linkKey(conn, flow, version.key)
  return { subject: subjects.archive(conn, flow, key), body: encode(ArchivedVersion, version), msgId: messageIds.archived(run, flow, key, side, digestOf(hash, became ?? '')) }
}

/** What stood there and what takes its place, 66 bits of each. */
const digestOf = (hash: string, became: string): string => hash.slice(0, 11) + became.slice(0, 11)

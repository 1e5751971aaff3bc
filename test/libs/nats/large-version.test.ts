/** Versions that no message can hold, from a worker's archive to whoever reads them. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { decode, encode } from '#libs/contracts/decode.ts'
import { streamDefs } from '#libs/contracts/streams.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { hashOf, linkKey, type Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { splitVersion, wholeVersion } from '#libs/nats/large-version.ts'
import { provision } from '#libs/nats/provision.ts'
import { readMessage } from '#libs/nats/stored-message.ts'
import { spokenPorts } from '../../../services/sync-worker/nats-ports.ts'
import { connectTo, startTestServer, type TestServer } from '../../support/nats-server.ts'
import { left, right, rightOf } from './right.ts'

const conn = 'cards' as ConnectionId
const flow = 'main' as FlowId
const run = '01K00000000000000000000000'
const versionOf = (key: string, photo: string): ArchivedVersion => ({
  conn, flow, run, key, side: 'destination', remoteId: `${key}.vcf`, kind: 'contact', fields: { FN: 'Zoë', PHOTO: photo, TEL: ['1', '2'] }, at: 1, because: 'overwritten', version: '7',
})
const replaced = (version: ArchivedVersion) => ({ version, hash: hashOf(version.fields as Fields) })
/** As a photo is: nothing is gained by packing it. */
const photo = (bytes: number): string => randomBytes(bytes).toString('base64')

let server: TestServer
let bus: Bus
beforeAll(async () => {
  server = await startTestServer()
  bus = await connectTo(server)
  await right(provision(bus)({ streams: streamDefs, buckets: [], consumers: [] }, { replicas: 1 }))
})
afterAll(async () => {
  await bus.close()
  await server.stop()
})

const stored = async (key: string) => rightOf(await readMessage(bus, streams.archive, { lastBySubject: subjects.archive(conn, flow, linkKey(conn, flow, key)) }))
const partsOf = async (key: string): Promise<number> => {
  const { subjects: counts } = (await bus.jsm.streams.info(streams.archive, { subjects_filter: subjects.archivedPart(conn, flow, linkKey(conn, flow, key)) })).state
  return Object.values(counts ?? {}).reduce((sum, n) => sum + n, 0)
}

describe('a version that is larger than a message may be', () => {
  it('is kept, and read back as it was', async () => {
    const { sayArchived, readArchived } = spokenPorts(bus, 1_000)
    const version = versionOf('large', photo(3 * 1024 * 1024))
    await right(sayArchived([replaced(version)], undefined))
    expect(await partsOf('large')).toBeGreaterThan(4)
    const found = await stored('large')
    expect(rightOf(decode(ArchivedVersion, found?.body ?? new Uint8Array()))).toMatchObject({ key: 'large', fields: {}, parts: { digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown } })
    expect(await right(readArchived(found?.seq ?? 0))).toEqual(version)
    // Archived again by an attempt that follows: nothing is kept twice
    const before = (await bus.jsm.streams.info(streams.archive)).state.messages
    await right(sayArchived([replaced(version)], undefined))
    expect((await bus.jsm.streams.info(streams.archive)).state.messages).toBe(before)
  })

  it('is packed: what repeats itself needs one part', async () => {
    const { sayArchived, readArchived } = spokenPorts(bus, 1_000)
    const version = versionOf('long', 'so long '.repeat(400_000))
    await right(sayArchived([replaced(version)], undefined))
    expect(await partsOf('long')).toBe(1)
    expect(await right(readArchived((await stored('long'))?.seq ?? 0))).toEqual(version)
  })

  it('is not among the versions of its connection more than once', async () => {
    const listed = (await bus.jsm.streams.info(streams.archive, { subjects_filter: subjects.archivedOf(conn) })).state.subjects ?? {}
    expect(Object.values(listed)).toEqual([1, 1])
  })

  it('is not believed when a part is gone, or is another one’s', async () => {
    const { sayArchived, readArchived } = spokenPorts(bus, 1_000)
    const version = versionOf('torn', photo(2 * 1024 * 1024))
    await right(sayArchived([replaced(version)], undefined))
    const found = await stored('torn')
    const split = rightOf(decode(ArchivedVersion, found?.body ?? new Uint8Array()))
    const [first = 0, second = 0, ...others] = split.parts?.seqs ?? []
    const swapped = { ...split, parts: { digest: split.parts?.digest ?? '', seqs: [second, first, ...others] } }
    expect(await left(wholeVersion(bus)(swapped))).toMatchObject({ is: 'lost-part' })
    expect(await left(wholeVersion(bus)({ ...split, parts: { digest: '00', seqs: [first] } }))).toMatchObject({ is: 'lost-part', message: expect.stringContaining('do not fit') as unknown })
    await bus.jsm.streams.deleteMessage(streams.archive, second)
    expect(await left(readArchived(found?.seq ?? 0))).toMatchObject({ is: 'needs-person', message: expect.stringContaining('part 2 of') as unknown, mend: 'choose another version' })
  })
})

describe('a small version', () => {
  it('is one message, as before', async () => {
    const { sayArchived } = spokenPorts(bus, 1_000)
    await right(sayArchived([replaced(versionOf('small', 'x'))], undefined))
    expect(await partsOf('small')).toBe(0)
    expect(rightOf(decode(ArchivedVersion, (await stored('small'))?.body ?? new Uint8Array()))).toEqual(versionOf('small', 'x'))
  })

  it('of another process’s limits is split by those of the server it talks to', async () => {
    const sizes: Array<number> = []
    const split = await splitVersion(versionOf('k', photo(100_000)), 64 * 1024, async (_, data) => {
      sizes.push(data.length)
      return E.right(sizes.length)
    })
    expect(Math.max(...sizes)).toBeLessThan(60 * 1024)
    expect(encode(ArchivedVersion, rightOf(split)).length).toBeLessThan(2_000)
    expect(rightOf(split).parts?.seqs).toEqual(sizes.map((_, n) => n + 1))
  })
})

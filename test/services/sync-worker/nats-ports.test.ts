import { describe, expect, it, onTestFinished } from 'vitest'
import { ArchivedVersion } from '#libs/contracts/archive.ts'
import { decode } from '#libs/contracts/decode.ts'
import { streamDefs } from '#libs/contracts/streams.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { hashOf, linkKey, type Fields } from '#libs/domain/record.ts'
import { E } from '#libs/fp.ts'
import { provision } from '#libs/nats/provision.ts'
import { readMessage } from '#libs/nats/stored-message.ts'
import { spokenPorts } from '../../../services/sync-worker/nats-ports.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'

const version = (value: string, key = 'k'): ArchivedVersion => ({
  conn: 'c' as ConnectionId, flow: 'f' as FlowId, run: '01K00000000000000000000000', key, side: 'destination', remoteId: key,
  kind: 'row', fields: { value }, at: 1, because: 'overwritten',
})
const replaced = (one: ArchivedVersion) => ({ version: one, hash: hashOf(one.fields as Fields) })

const started = async () => {
  const server = await startTestServer()
  onTestFinished(() => server.stop())
  const bus = await connectTo(server)
  onTestFinished(() => bus.close())
  await provision(bus)({ streams: streamDefs, buckets: [], consumers: [] }, { replicas: 1 })()
  const stored = async () => (await bus.jsm.streams.info(streams.archive)).state.messages
  const last = async (key: string) => {
    const found = await readMessage(bus, streams.archive, { lastBySubject: subjects.archive('c' as ConnectionId, 'f' as FlowId, linkKey('c', 'f', key)) })
    if (E.isLeft(found) || found.right === undefined) throw new Error(`nothing is kept of ${key}`)
    return found.right
  }
  return { ports: spokenPorts(bus, 1_000), stored, last }
}

describe('when one run archives one item of one side more than once', () => {
  it('keeps every version, and each once', async () => {
    const { ports, stored } = await started()
    await ports.sayArchived([replaced(version('as it was read'))], undefined)()
    await ports.sayArchived([replaced(version('edited before it could be overwritten'))], undefined)()
    await ports.sayArchived([replaced(version('edited before it could be overwritten'))], undefined)()
    expect(await stored()).toBe(2)
  })

  it('keeps the same version twice when something else is to take its place', async () => {
    const { ports, stored } = await started()
    const became = (content: string) => replaced({ ...version('as it was read'), became: hashOf({ value: content }) })
    await ports.sayArchived([became('one')], undefined)()
    await ports.sayArchived([became('two'), replaced({ ...version('as it was read'), became: null })], undefined)()
    expect(await stored()).toBe(3)
  })
})

describe('the versions of a page', () => {
  const page = Array.from({ length: 1_000 }, (_, n) => replaced(version(`value ${n}`, `k${n}`)))

  it('are each a message of their own, under the subject of their item', async () => {
    const { ports, stored, last } = await started()
    expect(await ports.sayArchived(page, 'a trace')()).toEqual(E.right(undefined))
    expect(await stored()).toBe(page.length)
    for (const n of [0, 1, 499, 999]) {
      const { body, headers } = await last(`k${n}`)
      expect(decode(ArchivedVersion, body)).toEqual(E.right(version(`value ${n}`, `k${n}`)))
      expect(headers).toMatchObject({ traceparent: 'a trace', 'Syncline-Schema': 'archived-version.1' })
    }
  })

  it('archived again by the attempt after a crash, also in another order and with others, are not kept twice', async () => {
    const { ports, stored } = await started()
    await ports.sayArchived(page.slice(0, 600), undefined)()
    expect(await ports.sayArchived([...page].reverse(), undefined)()).toEqual(E.right(undefined))
    expect(await stored()).toBe(page.length)
  })

  it('are all kept where one of them is too large for a message: that one in parts', async () => {
    const { ports, last } = await started()
    const large = version('so long '.repeat(400_000), 'large')
    expect(await ports.sayArchived([...page.slice(0, 3), replaced(large), ...page.slice(3, 6)], undefined)()).toEqual(E.right(undefined))
    const { seq } = await last('large')
    expect(await ports.readArchived(seq)()).toEqual(E.right(large))
    for (const n of [0, 2, 3, 5]) expect(decode(ArchivedVersion, (await last(`k${n}`)).body)).toEqual(E.right(version(`value ${n}`, `k${n}`)))
  })
})

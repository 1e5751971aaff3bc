import { describe, expect, it, onTestFinished } from 'vitest'
import type { ArchivedVersion } from '#libs/contracts/archive.ts'
import { streamDefs } from '#libs/contracts/streams.ts'
import { streams } from '#libs/contracts/subjects.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { provision } from '#libs/nats/provision.ts'
import { spokenPorts } from '../../../services/sync-worker/nats-ports.ts'
import { connectTo, startTestServer } from '../../support/nats-server.ts'

const version = (value: string): ArchivedVersion => ({
  conn: 'c' as ConnectionId, flow: 'f' as FlowId, run: '01K00000000000000000000000', key: 'k', side: 'destination', remoteId: 'k',
  kind: 'row', fields: { value }, at: 1, because: 'overwritten',
})

describe('when one run archives one item of one side more than once', () => {
  it('keeps every version, and each once', async () => {
    const server = await startTestServer()
    onTestFinished(() => server.stop())
    const bus = await connectTo(server)
    onTestFinished(() => bus.close())
    await provision(bus)({ streams: streamDefs, buckets: [], consumers: [] }, { replicas: 1 })()
    const { sayArchived } = spokenPorts(bus, 1_000)

    await sayArchived(version('as it was read'), undefined)()
    await sayArchived(version('edited before it could be overwritten'), undefined)()
    await sayArchived(version('edited before it could be overwritten'), undefined)()

    const { messages } = (await bus.jsm.streams.info(streams.archive)).state
    expect(messages).toBe(2)
  })
})

/**
 * The cluster of docker-compose.yml on this machine: three NATS nodes, everything kept three times, two workers. A node
 * that is killed in the middle of a run costs time and nothing else.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buckets, streams } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { openBucket } from '#libs/nats/kv.ts'
import { streamInfo } from '#libs/nats/stream-messages.ts'
import { accepted, startDeployedHouse, type DeployedHouse } from '../support/deployed-house.ts'
import { until } from '../support/processes.ts'

const cards = 2_000

let house: DeployedHouse
let client: Bus
beforeAll(async () => {
  house = await startDeployedHouse(3)
  await house.provision()
  await Promise.all(['scheduler', 'conflict-resolver', 'tracker', 'sync-worker', 'sync-worker'].map((service) => house.start(service)))
  client = await house.as('client')
})
afterAll(() => house.stop())

const leaderOf = async (stream: string): Promise<string | undefined> => (await house.admin.jsm.streams.info(stream)).cluster?.leader

it('keeps every stream three times', async () => {
  for (const stream of [...Object.values(streams), ...Object.values(buckets).map((bucket) => `KV_${bucket}`)]) {
    const { config, cluster } = await house.admin.jsm.streams.info(stream)
    expect([stream, config.num_replicas, cluster?.replicas?.length]).toEqual([stream, 3, 2])
  }
})

it('goes on, and loses and doubles nothing, when the node that leads the state is killed in the middle of a run', async () => {
  const [a, b] = [await house.side('cards', 'a'), await house.side('cards', 'b')]
  await Promise.all(Array.from({ length: cards }, (_, n) => a.put(`card-${n}`)))
  await house.apply('cards')
  await until('the first cards', async () => (await b.names()).length > 0)
  const leader = await leaderOf(`KV_${buckets.state}`)
  await house.nats.nodes[Number(leader?.slice(-1)) - 1]?.kill()
  expect((await b.names()).length).toBeLessThan(cards)

  const first = await house.result('the end of the run', ({ conn, outcome }) => conn === 'cards' && outcome === 'succeeded')
  expect(first.flows[0]).toMatchObject({ links: cards })
  expect(await b.names()).toEqual(await a.names())
  expect(await b.names()).toHaveLength(cards)
})

it('follows an edit on the two nodes that are left, and then has nothing to do', async () => {
  const [a, b] = [await house.side('cards', 'a'), await house.side('cards', 'b')]
  await b.put('one-more')
  await until('the client has found a node that lives', () => client.isConnected() && house.admin.isConnected())
  const followed = await accepted(client, 'cards')
  expect(await house.result('the second run', ({ run }) => run === followed)).toMatchObject({ outcome: 'succeeded', flows: [{ counts: { created: 1, updated: 0, deleted: 0, conflicts: 0 } }] })
  expect(await a.names()).toHaveLength(cards + 1)
  const quiet = await accepted(client, 'cards')
  expect(await house.result('the third run', ({ run }) => run === quiet)).toMatchObject({ outcome: 'succeeded', quiet: true, flows: [{ counts: { created: 0, updated: 0, deleted: 0, adopted: 0, conflicts: 0, parked: 0, drifted: 0 } }] })

  const told = openBucket(house.admin)(buckets.history).subjectOf('cards')
  await until('all three runs are told about', async () => {
    const numbers = await streamInfo(house.admin)(`KV_${buckets.history}`, told)()
    return E.isRight(numbers) && numbers.right.subjects[told] === 3
  })
  expect(house.nats.violations()).toEqual([])
})

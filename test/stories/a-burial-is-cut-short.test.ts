/**
 * T56: the tracker is killed in the middle of a burial, its letter written and the original not yet taken out of the queue.
 * The next one finishes it: one dead letter, one result, and the connection is free.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DeadLetter } from '#libs/contracts/dead-letter.ts'
import { decode } from '#libs/contracts/decode.ts'
import { durables, streams, subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { consume } from '#libs/nats/consume.ts'
import { listMessages } from '#libs/nats/stream-messages.ts'
import { silentLine, type SilentLine } from '../support/line.ts'
import { startProcessHouse, type ProcessHouse } from '../support/process-house.ts'
import { until } from '../support/processes.ts'

const conn = 'dies'

let house: ProcessHouse
let line: SilentLine
beforeAll(async () => {
  house = await startProcessHouse()
  line = await silentLine(house.server.port)
})
afterAll(async () => {
  await house.stop()
  await line.stop()
})

const letters = async (): Promise<ReadonlyArray<DeadLetter>> => {
  const listed = await listMessages(house.bus)(streams.dead, { filterSubject: subjects.dead(conn), limit: 10 })()
  if (E.isLeft(listed)) throw new Error(JSON.stringify(listed.left))
  return listed.right.flatMap(({ body }) => {
    const letter = decode(DeadLetter, body)
    return E.isRight(letter) ? [letter.right] : []
  })
}

it('T56 is finished by the next tracker, and leaves one letter', async () => {
  const first = await house.start('tracker', { NATS_URL: `nats://127.0.0.1:${line.port}` })
  const deleting = line.silenceBefore(`.STREAM.MSG.DELETE.${streams.work}`)
  await house.start('scheduler')
  await house.applyFolders(conn, await house.cards(conn, 'a', 3), await house.cards(conn, 'b', 0))
  // Workers that die over it: each takes it and never finishes.
  const dying = consume(house.bus, { stream: streams.work, consumer: durables.work('hot'), concurrency: 1, handle: () => Promise.resolve({ is: 'again', delayMs: 1 }), onError: () => undefined })
  await deleting
  await first.kill('SIGKILL')
  await dying.stop()
  expect([(await letters()).length, await house.queued()]).toEqual([1, 1])

  await house.start('tracker')
  await until('the queue is free', async () => (await house.queued()) === 0)
  expect(await letters()).toMatchObject([{ conn, writtenBy: 'tracker' }])
  // Both said how the run ended, under one id: it is stored once.
  expect(new Set(house.results.map(({ run, outcome }) => `${run} ${outcome}`)).size).toBe(1)
  expect((await house.bus.jsm.streams.info(streams.results)).state.messages).toBe(1)

  await Promise.all([house.start('conflict-resolver'), house.start('sync-worker')])
  await house.request(conn)
  expect(await house.result('the run after it', ({ cause }) => cause === 'manual')).toMatchObject({ outcome: 'succeeded', flows: [{ links: 3 }] })
  expect(await letters()).toHaveLength(1)
})

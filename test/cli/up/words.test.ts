import { describe, expect, it } from 'vitest'
import type { Connection } from '#libs/domain/connection.ts'
import type { ConnectionId, FlowId } from '#libs/domain/ids.ts'
import { painter } from '../../../cli/render.ts'
import { makeSession } from '../../../cli/up/session.ts'
import { factLine, heartbeat, lasting, newsLines, tableOf, whatWasDone } from '../../../cli/up/words.ts'
import { failedRun, run } from './run-result.ts'

const plain = painter({ colour: false })
const side = { provider: 'file', path: '/x' }
const contacts: Connection = {
  id: 'contacts' as ConnectionId, schedule: { kind: 'manual' }, description: 'two folders of cards', strategy: 'merge',
  flows: [{ id: 'main' as FlowId, direction: 'two-way', kind: 'contact', source: side, destination: side }],
}
const table = tableOf([contacts])
const lines = (result: Parameters<ReturnType<typeof makeSession>['hear']>[0]): ReadonlyArray<string> => {
  const news = makeSession().hear(result)
  return news === undefined ? [] : newsLines(plain, news, table, '12:00:01')
}

describe('the first run of a connection', () => {
  it('is one line: what it is, how long, how much is in step, what was done', () => {
    expect(lines(run({ phase: 'first', counts: { created: 7, adopted: 2 } }))).toEqual(['  contacts  two folders of cards   41 ms  10 cards    7 created, 2 equal'])
  })

  it('says how a conflict ended and where the loser is', () => {
    expect(lines(run({ counts: { conflicts: 1 } }))[1]).toBe('            merged field by field; what was overwritten is kept: npx syncline versions contacts')
  })

  it('says what is wrong and what to do, without what could move the cursor', () => {
    expect(lines(failedRun('no folder\u001b[2Jx'))).toEqual(['  contacts  12:00:01  no folder[2Jx', '            make it'])
  })
})

it.each([
  [{}, 'nothing to do'],
  [{ created: 1234567, deleted: 2 }, '1 234 567 created, 2 deleted'],
  [{ conflicts: 2, held: 1, parked: 3, drifted: 4 }, '2 conflicts, 1 held, 3 set aside, 4 edited over there'],
])('what was done: %j is told as "%s"', (counts, text) => expect(whatWasDone(run({ counts }).flows[0]?.counts ?? expect.fail('no counts'))).toBe(text))

it.each([[7, '7 ms'], [999.4, '999 ms'], [3_412, '3.4 s']])('%d ms lasted %s', (ms, text) => expect(lasting(ms)).toBe(text))

it.each([
  [9_000, { runs: 1, quiet: 0, troubled: 0, moved: 0 }, '9 s   1 run, 0 quiet, 0 carried over'],
  [185_000, { runs: 63, quiet: 58, troubled: 2, moved: 1412, latest: { conn: 'meters', moved: 8, at: 999_000 } }, '3 min 05 s   63 runs, 58 quiet, 2 not well, 1 412 carried over   last: meters, 8 just now'],
  [7_620_000, { runs: 2, quiet: 1, troubled: 0, moved: 1, latest: { conn: 'meters', moved: 1, at: 990_000 } }, '2 h 07 min   2 runs, 1 quiet, 1 carried over   last: meters, 1 10 s ago'],
])('the sign of life after %d ms', (sinceMs, totals, text) => expect(heartbeat(totals, sinceMs, 1_000_000)).toBe(text))

it('what has come up is aligned, and ends without spaces', () => {
  expect([factLine(plain, 'NATS 2.12.5', 'nats://127.0.0.1:4222', 'on disk', 38), factLine(plain, 'HTTP', 'http://127.0.0.1:4280')]).toEqual([
    '  NATS 2.12.5       38 ms  nats://127.0.0.1:4222     on disk',
    '  HTTP                     http://127.0.0.1:4280',
  ])
})

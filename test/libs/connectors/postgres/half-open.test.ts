/**
 * T64: a line to PostgreSQL that is open and silent, as when a firewall forgot it. The line is a real one; only the time that
 * it takes to give up on it is not waited for.
 */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { E } from '#libs/fp.ts'
import { never, ok, readAll, tryReadAll } from '../../../laws/law-rig.ts'
import { silentLine, type SilentLine } from '../../../support/line.ts'
import { pgFile, withPg, type PgRig } from './pg-rig.ts'

const newRig = pgFile()
const scenario = (says: string, body: (rig: PgRig, line: SilentLine, url: string) => Promise<void>) =>
  it(says, withPg(newRig, async (rig) => {
    const through = new URL(rig.url)
    const line = await silentLine(Number(through.port), through.hostname)
    through.port = String(line.port)
    onTestFinished(line.stop)
    await rig.sql("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a')")
    await body(rig, line, through.href)
  }))

/** What a call answers on a silent line, and after how long: seconds pass by hand, turns of the event loop as they are. */
const waitedFor = async <A>(call: () => Promise<A>): Promise<{ readonly answer: A; readonly afterMs: number }> => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    let answer: { readonly is: A } | undefined
    const calling = call().then((is) => (answer = { is }))
    let afterMs = 0
    for (; answer === undefined && afterMs < 600_000; afterMs += 1_000) {
      for (let turns = 0; turns < 20; turns++) await new Promise((turn) => setImmediate(turn))
      vi.advanceTimersByTime(1_000)
    }
    if (afterMs >= 600_000) throw new Error('hangs')
    return { answer: (await calling).is, afterMs }
  } finally {
    vi.useRealTimers()
  }
}

/** A statement is given up 65 s after it was sent, a connection 10 s after it was begun (session.ts). */
const statementMs = 66_000
const connectMs = 11_000

describe('T64 a line that is open and silent', () => {
  scenario('from the beginning: the side is down within the time for a connection', async (rig, line, url) => {
    line.silence()
    const { answer, afterMs } = await waitedFor(() => rig.open({ table: rig.table('t') }, { url }).then(E.right, (cause: unknown) => E.left(String(cause))))
    expect(JSON.stringify(answer)).toContain('unavailable')
    expect(afterMs).toBeLessThanOrEqual(connectMs)
  })

  scenario('under a reading: it fails within the time for a statement, and reads on a line that speaks', async (rig, line, url) => {
    const side = await rig.open({ table: rig.table('t') }, { url, role: 'source' })
    await readAll(side)
    line.silence()
    const { answer, afterMs } = await waitedFor(() => tryReadAll(side))
    expect(answer).toMatchObject({ is: 'unavailable' })
    expect(afterMs).toBeLessThanOrEqual(statementMs + connectMs)
    line.speak()
    expect((await readAll(side)).items).toHaveLength(1)
  })

  scenario('under a writing: nobody claims to know how it went, and written again it is there once', async (rig, line, url) => {
    const side = await rig.open({ table: rig.table('t') }, { url })
    const create = () => side.write([{ do: 'create', key: '2', fields: { id: '2', v: 'b' } }], never())()
    await ok(side.find(['1'], never()))
    line.silence()
    const { answer, afterMs } = await waitedFor(create)
    expect(JSON.stringify(answer)).toMatch(/"unavailable"|"ambiguous"/)
    expect(JSON.stringify(answer)).not.toContain('"done"')
    // The statement, and the looking back at what became of it on a new line.
    expect(afterMs).toBeLessThanOrEqual(statementMs + 3 * connectMs)
    line.speak()
    expect(['done', 'exists']).toContain((await ok(() => create()))[0]?.is)
    expect(await rig.sql(`SELECT v FROM ${rig.table('t')} WHERE id = 2`)).toEqual([{ v: 'b' }])
  })
})

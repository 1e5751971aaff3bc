import { describe, expect, it } from 'vitest'
import type { RunResult } from '#libs/contracts/result.ts'
import { makeSession, type News } from '../../../cli/up/session.ts'
import { failedRun, quietRun, run } from './run-result.ts'

const isOf = (news: News | undefined): string | undefined => news?.is
const told = (...results: ReadonlyArray<RunResult>): ReadonlyArray<string | undefined> => {
  const session = makeSession()
  return results.map((result) => isOf(session.hear(result)))
}

describe('the first run of a connection', () => {
  it('is told, as its first sync or as going on', () => {
    const session = makeSession()
    expect(session.hear(run({ phase: 'first', counts: { created: 2 } }))).toMatchObject({ is: 'began', isFirstSync: true })
    expect(session.hear(quietRun('other'))).toMatchObject({ is: 'began', isFirstSync: false })
    expect([...session.heard()]).toEqual(['contacts', 'other'])
  })
})

describe('a change', () => {
  const [change, quiet] = [run({ counts: { updated: 1 } }), quietRun()]
  it('is told after a time of quiet', () => expect(told(change, quiet, quiet, change)).toEqual(['began', undefined, undefined, 'change']))
  it('is counted where there is always one', () => expect(told(change, change, quiet, change, change)).toEqual(['began', undefined, undefined, undefined, undefined]))
  it('is told a few times in a row, then counted, until it is quiet again', () => {
    expect(told(quiet, quiet, change, change, change, change, change, change, quiet, quiet, change)).toEqual(
      ['began', undefined, 'change', 'change', 'change', 'change', 'change', undefined, undefined, undefined, 'change'])
  })
})

describe('trouble', () => {
  it('is told once, and so is its end', () => {
    expect(told(quietRun(), failedRun('no such folder, asked 1 time'), failedRun('no such folder, asked 2 time'), failedRun('no room'), quietRun(), quietRun())).toEqual(
      ['began', 'trouble', undefined, 'trouble', 'recovered', undefined])
  })

  it('are records set aside, too', () => {
    expect(makeSession().hear(run({ outcome: 'partial', counts: { parked: 1 } }))).toMatchObject({ is: 'trouble', why: '1 set aside' })
  })
})

it('adds up what was done, without what was skipped', () => {
  const session = makeSession()
  for (const result of [run({ counts: { created: 2, updated: 1 }, finishedAt: 70 }), quietRun(), failedRun('x'), run({ outcome: 'skipped' })]) session.hear(result)
  expect(session.totals()).toEqual({ runs: 3, quiet: 1, troubled: 1, moved: 3, latest: { conn: 'contacts', moved: 3, at: 70 } })
})

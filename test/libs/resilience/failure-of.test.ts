import { describe, expect, it } from 'vitest'
import { SyncFailure } from '#libs/domain/failure.ts'
import { actions, type Action } from '#libs/resilience/call.ts'
import { failureOf } from '#libs/resilience/failure-of.ts'

const said = { message: 'api.example answered 429', code: '429' }

describe('what a treatment ends as', () => {
  const cases: Readonly<Record<Action, SyncFailure['is'] | undefined>> = {
    ok: undefined, unchanged: undefined, more: undefined, follow: undefined, gone: undefined, replan: undefined, adopt: undefined, split: undefined,
    inline: 'unavailable', again: 'unavailable', 'read-back': 'ambiguous', defer: 'later', 'hand-back': 'stopping', item: 'bad-item', resync: 'cursor-lost',
    refresh: 'needs-person', 'reread-token': 'needs-person', downgrade: 'needs-person', 'stop-writes': 'needs-person', person: 'needs-person', bug: 'bug',
  }
  it.each(Object.keys(actions) as Array<Action>)('%s', (action) => {
    const failure = failureOf({ action, countsForBreaker: false }, said, 1_000, 0.5)
    expect(failure?.is).toBe(cases[action])
    if (failure !== undefined) expect(SyncFailure.is(failure) && failure).toMatchObject(said)
  })

  it.each([
    ['again', false, true], ['again', true, undefined], ['read-back', false, true], ['inline', true, undefined],
    ['person', false, undefined], ['person', true, false], ['item', false, undefined], ['defer', true, undefined],
  ] as const)('%s, counting for the breaker: %s, says of the provider: %s', (action, countsForBreaker, well) => {
    expect(failureOf({ action, countsForBreaker }, said, 0, 0)?.providerWell).toBe(well)
  })

  it('waits at least as long as asked, spread up to the most', () => {
    const at = (chance: number) => failureOf({ action: 'defer', countsForBreaker: false, wait: [1_000, 1_100] }, said, 5_000, chance)
    expect(at(0)).toMatchObject({ notBefore: 6_000 })
    expect(at(0.5)).toMatchObject({ notBefore: 6_050 })
    expect(failureOf({ action: 'defer', countsForBreaker: false }, said, 5_000, 0)).toMatchObject({ notBefore: 65_000 })
  })

  it('tells the person what the table says', () => {
    expect(failureOf({ action: 'person', countsForBreaker: false, mend: 'pay the bill' }, said, 0, 0)).toMatchObject({ mend: 'pay the bill' })
  })
})

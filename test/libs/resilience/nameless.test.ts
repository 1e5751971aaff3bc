import { describe, expect, it } from 'vitest'
import type { ProviderState } from '#libs/contracts/provider-state.ts'
import { healthy } from '#libs/resilience/breaker.ts'
import { nameFound, namelessTooLong, nameNotFound } from '#libs/resilience/nameless.ts'

const hour = 3_600_000
const well: ProviderState = { breaker: healthy }

describe('a name that is not found (SYNC.md §D.2)', () => {
  it.each([
    ['never lost', well, undefined],
    ['lost just now', nameNotFound(well, 10 * hour), undefined],
    ['lost for an hour', nameNotFound(well, 9 * hour), undefined],
    ['lost for longer', nameNotFound(well, 9 * hour - 1), 'needs-person'],
    ['lost again and again: since the first time', nameNotFound(nameNotFound(well, 8 * hour), 9.5 * hour), 'needs-person'],
    ['found meanwhile', nameNotFound(nameFound(nameNotFound(well, hour)), 9.5 * hour), undefined],
  ] as const)('%s', (_, state, is) => {
    expect(namelessTooLong(state, 'fitbit', 10 * hour)?.is).toBe(is)
  })

  it('says since when, and what to do', () => {
    expect(namelessTooLong(nameNotFound(well, 0), 'fitbit', 2 * hour)).toMatchObject({ message: expect.stringContaining('1970-01-01T00:00:00') as string, mend: expect.stringContaining('address') as string })
  })

  it('changes nothing that is as it was', () => {
    const lost = nameNotFound(well, 1)
    expect([nameNotFound(lost, 2), nameFound(well)]).toEqual([lost, well])
    expect(nameNotFound(lost, 2)).toBe(lost)
    expect(nameFound(well)).toBe(well)
  })
})

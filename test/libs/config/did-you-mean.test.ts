import { describe, expect, it } from 'vitest'
import { nearest } from '#libs/config/did-you-mean.ts'

const known = ['schedule', 'source', 'strategy', 'destination', 'direction']

describe('a mistyped word', () => {
  it.each([['shedule', 'schedule'], ['Strategy', 'strategy'], ['soucre', 'source'], ['desti-nation', 'destination'], ['directions', 'direction'], ['colour', undefined], ['', undefined], ['x'.repeat(10_000), undefined]])('%j was meant to be %s', (word, meant) => {
    expect(nearest(word, known)).toBe(meant)
  })
})

import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '#libs/domain/checkpoint.ts'
import type { Flow } from '#libs/domain/connection.ts'
import { isBare, isKeptBeside } from '../../../services/sync-worker/where-kept.ts'

const at = (fence: number, links = 3): Checkpoint => ({ fence, run: 'r', phase: links === 0 ? 'first' : 'delta', gen: 0, cursorA: null, cursorB: null, cfgHash: '', pages: 0, links, parked: 0 })
const flow = (direction: Flow['direction'], mode?: 'strict'): Flow => ({ direction, ...(mode === undefined ? {} : { guards: { mode } }) }) as Flow
const twoWay = flow('two-way')

const cases: ReadonlyArray<readonly [string, Flow, Checkpoint | null, Checkpoint | null, boolean, boolean]> = [
  ['two-way, new', twoWay, null, null, true, true],
  ['two-way, new, into what may not be written', twoWay, null, null, false, false],
  ['two-way, begun beside the rows', twoWay, at(1, 0), at(2), true, true],
  ['two-way, begun beside the rows, which may not be written now', twoWay, at(1, 0), at(2), false, true],
  ['two-way, begun in KV', twoWay, at(1), null, true, false],
  ['two-way, begun in KV and reset', twoWay, at(2, 0), null, true, true],
  ['two-way, both, the one in KV younger', twoWay, at(3), at(2), true, false],
  ['two-way, both, the one beside the rows younger', twoWay, at(2), at(3), true, true],
  ['two-way, both reset by the same run', twoWay, at(3, 0), at(3, 0), true, true],
  ['one-way', flow('one-way'), at(3), null, true, true],
  ['one-way, planned whole', flow('one-way', 'strict'), null, at(3), true, false],
]

describe('where the links of a flow are kept', () => {
  it.each(cases)('%s', (_name, asked, inStore, beside, canWrite, expected) => {
    expect(isKeptBeside(asked, inStore, beside, { canWrite })).toBe(expected)
  })

  it('a first sync that linked something already is not bare', () => {
    expect(isBare({ ...at(1), phase: 'first' })).toBe(false)
    expect(isBare(at(1, 0))).toBe(true)
  })
})

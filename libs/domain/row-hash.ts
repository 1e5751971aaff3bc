/**
 * Knows how rows whose cells are texts are hashed one after the other: the very value of `hashOf`, without making fields of
 * each; from bytes even without making texts of the cells. Pure.
 */
import { hash } from 'node:crypto'
import { canonicalJson, quoted } from './json.ts'
import { digestLength, hashOfCanonical } from './record.ts'

type RowHasher = {
  readonly ofCells: (cells: ReadonlyArray<string | null>) => string
  /** Cell n is `bytes` from `starts[n]` to before `ends[n]`: printable ASCII without quote and backslash, and never NULL. */
  readonly ofBytes: (bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array) => string
}

/** `names`: of the columns, in the order of the cells; none twice. */
export const rowHasher = (names: ReadonlyArray<string>): RowHasher => {
  const order = names.map((name, at) => ({ name, at })).sort((x, y) => (x.name < y.name ? -1 : 1))
  const places = Uint32Array.from(order, ({ at }) => at)
  const openings = order.map(({ name }, n) => `${n === 0 ? '{' : ','}${canonicalJson(name)}:`)
  // A cell's quotes belong to what stands before and after it.
  const before = openings.map((opening, n) => Buffer.from(`${n === 0 ? '' : '"'}${opening}"`))
  let scratch = Buffer.alloc(1_024)
  /** By length: a view for every row would be most of what the collector has to collect. */
  let views: Array<Buffer | undefined> = []

  return {
    ofCells: (cells) => {
      let text = ''
      for (const [n, opening] of openings.entries()) {
        const cell = cells[places[n] ?? 0] ?? null
        text += opening + (cell === null ? 'null' : quoted(cell))
      }
      return hashOfCanonical(openings.length === 0 ? '{}' : `${text}}`)
    },
    ofBytes: (bytes, starts, ends) => {
      let at = 0
      for (const [n, opening] of before.entries()) {
        const place = places[n] ?? 0
        const start = starts[place] ?? 0
        const end = ends[place] ?? 0
        const needed = at + opening.length + end - start + 2
        if (needed > scratch.length) {
          scratch = Buffer.concat([scratch], needed * 2)
          views = []
        }
        for (const byte of opening) scratch[at++] = byte
        for (let i = start; i < end; i++) scratch[at++] = bytes[i] ?? 0
      }
      scratch[at++] = 0x22
      scratch[at++] = 0x7d
      return hash('sha256', (views[at] ??= scratch.subarray(0, at)), 'base64url').slice(0, digestLength)
    },
  }
}

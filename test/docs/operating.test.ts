import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { meanings, operatingPath, programs, withSettings } from '../../docs/tools/settings.ts'

describe('docs/operating.md', () => {
  it('explains every setting that a service reads, and no other', () => {
    const read = programs.flatMap(([, settings]) => settings.map(({ name }) => name))
    expect(Object.keys(meanings).toSorted()).toEqual(read.toSorted())
  })

  // After a change of a service's config.ts: node docs/tools/settings.ts
  it('tells their values and defaults as they are', async () => {
    await expect(withSettings(readFileSync(operatingPath, 'utf8'))).toMatchFileSnapshot(operatingPath)
  })
})

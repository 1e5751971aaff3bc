import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registerUp } from '../../cli/commands/up.ts'
import type { Io } from '../../cli/io.ts'
import { makeProgram } from '../../cli/program.ts'
import { walksIn } from '../support/walk.ts'
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

  it('shows only commands that there are', () => {
    const program = makeProgram({ stdout: () => undefined, stderr: () => undefined } as unknown as Io, '0.0.0', [registerUp])
    const names = new Set(program.commands.flatMap((one) => [one.name(), ...one.commands.map((sub) => `${one.name()} ${sub.name()}`)]))
    const page = readFileSync(operatingPath, 'utf8')
    const blocks = [...page.matchAll(/```(?:sh|console)\n([^]*?)```/g)].map(([, text]) => text ?? '').join('\n')
    const shown = [...blocks.matchAll(/npx syncline (dlq )?([a-z]+)/g)].map(([, group = '', name = '']) => `${group}${name}`)
    expect(shown.length).toBeGreaterThan(30)
    expect([...new Set(shown)].filter((name) => !names.has(name))).toEqual([])
  })

  // They are run in test/stories/operator-walkthrough.test.ts.
  it('has walk-throughs whose steps are commands with what they print', () => {
    const walks = walksIn(readFileSync(operatingPath, 'utf8'))
    expect([...walks].map(([name, steps]) => [name, steps.length])).toEqual([['dead letters', 14], ['held plans', 9], ['a loop', 3]])
    expect([...walks.values()].flat().map(({ code }) => code).filter((code) => code !== 0)).toEqual([1, 3, 6, 6, 6, 2])
  })
})

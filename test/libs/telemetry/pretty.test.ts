import { describe, expect, it } from 'vitest'
import { prettyLine } from '#libs/telemetry/pretty.ts'

const line = (facts: Record<string, unknown>, colour = false): string =>
  prettyLine(JSON.stringify({ level: 'warn', time: '2026-11-21T12:33:04.123Z', service: 'scheduler', event: 'slot.late', ...facts }), { colour })

describe('one line for a person', () => {
  const head = '12:33:04 warn  scheduler         slot.late'
  const cases: ReadonlyArray<readonly [name: string, facts: Record<string, unknown>, said: string]> = [
    ['no facts', {}, ''],
    ['words and numbers', { conn: 'contacts', latenessMs: 4100 }, ' conn=contacts latenessMs=4100'],
    ['text with spaces', { reason: 'the lease is busy' }, ' reason="the lease is busy"'],
    ['counts without zeros', { counts: { created: 2, deleted: 0, updated: 1 } }, ' counts=created:2,updated:1'],
    ['an error', { error: { name: 'Error', message: 'connect failed', code: 'ECONNREFUSED' } }, ' error="connect failed (ECONNREFUSED)"'],
    ['a list', { flows: ['a', 'b'] }, ' flows=a,b'],
    ['a withheld fact', { cursor: '[withheld]' }, ' cursor=[withheld]'],
    ['escapes that would redraw the terminal', { reason: 'a\u001b[2Jb\r\nc' }, ' reason="a [2Jb c"'],
  ]
  it.each(cases)('%s', (_, facts, said) => {
    expect(line(facts)).toBe(`${head}${said}\n`)
  })

  it('has colours only for a terminal', () => {
    expect(line({ conn: 'c' }, true)).toContain('\u001b[33mwarn ')
    expect(line({ conn: 'c' })).not.toContain('\u001b')
  })

  it('passes on what is not JSON', () => {
    expect(prettyLine('hello\n', { colour: false })).toBe('hello\n')
  })
})

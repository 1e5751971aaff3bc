import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConnectionState, Outcome, RunState, runTransitions } from '#libs/domain/states.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/state-machines.md'), 'utf8')
const sectionOf = (title: string): string => page.split(/^## /m).find((section) => section.startsWith(title)) ?? ''

/** The states a section's table explains, in its order. */
const explained = (title: string): ReadonlyArray<string> => [...sectionOf(title).matchAll(/^\| `([a-z_-]+)` \|/gm)].map(([, state]) => state ?? '')

/** The arrows of a section's diagram. Mermaid knows no hyphens in names. */
const drawn = (title: string): ReadonlyArray<string> =>
  [...sectionOf(title).matchAll(/^ {2}([a-z_]+) --> ([a-z_]+)/gm)].map(([, from, to]) => `${from ?? ''} → ${to ?? ''}`)

describe('docs/state-machines.md', () => {
  it('explains every state of a connection', () => {
    expect(explained('A connection').toSorted()).toEqual(Object.keys(ConnectionState.keys).toSorted())
  })

  it('explains every state of a run, and every outcome', () => {
    expect(explained('A run').toSorted()).toEqual(Object.keys(RunState.keys).toSorted())
    for (const outcome of Object.keys(Outcome.keys)) expect(sectionOf('A run')).toContain(`\`${outcome}\``)
  })

  it('draws exactly the changes of a run that there are', () => {
    const known = Object.entries(runTransitions).flatMap(([from, next]) => next.map((to) => `${from} → ${to}`.replaceAll('-', '_')))
    expect(drawn('A run').toSorted()).toEqual(known.toSorted())
  })

  it('draws only states of a connection that it explains', () => {
    const names = new Set(drawn('A connection').flatMap((arrow) => arrow.split(' → ')))
    expect([...names].toSorted()).toEqual(explained('A connection').toSorted())
  })
})

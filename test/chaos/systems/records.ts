/** Knows a .jsonl file as its owner keeps it: what is new comes at its end, anything else by a new file in its place. Only ever a source. */
import { appendFile, rename, writeFile } from 'node:fs/promises'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { nothingDone, type System } from './system.ts'

export const recordsOf = (path: string): System => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  const rows = new Map<string, string>()
  let turn: Promise<unknown> = Promise.resolve()
  const line = (id: string, value: string): string => `${JSON.stringify({ id, value })}\n`
  const rewrite = (): Promise<void> => writeFile(`${path}.new`, [...rows].map(([id, value]) => line(id, value)).join('')).then(() => rename(`${path}.new`, path))
  const edit: System['edit'] = async (key, value) => {
    const before = rows.get(key) ?? null
    if (value === null && before === null) return nothingDone()
    if (value === null) rows.delete(key)
    else rows.set(key, value)
    await (before === null && value !== null ? appendFile(path, line(key, value)) : rewrite())
    return { kind: value === null ? 'delete' : before === null ? 'create' : 'update', before, result: 'ok' }
  }
  return {
    kind: 'jsonl',
    side: { provider: 'file', path },
    edit: (key, value) => {
      const done = turn.then(() => edit(key, value))
      turn = done.catch(() => undefined)
      return done
    },
    all: async () => [...rows].map(([key, value]) => ({ key, remoteId: key, value })),
  }
}

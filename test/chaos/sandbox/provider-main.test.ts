/** The sandbox provider as a process of its own, told what to do from outside. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { never, readAll, tryReadAll } from '../../laws/law-rig.ts'
import { readHistory } from '../history.ts'
import { sandboxClient } from './client.ts'
import { sandboxConnector } from './connector.ts'

describe('a sandbox provider in its own process', () => {
  it('serves clients and the engine, misbehaves when told to, and writes the history', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'syncline-sandbox-'))
    const child = spawn(process.execPath, [join(import.meta.dirname, 'provider-main.ts'), '--history', join(dir, 'history.jsonl')], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
      const { url } = JSON.parse(line) as { readonly url: string }
      const client = sandboxClient(url, 'c')
      expect(await client.put('i1', 'k1', { note: 'w1-1' }, 'none')).toBe(true)
      expect(await client.put('i1', 'k1', { note: 'w1-2' }, 'none')).toBe(false)
      const there = await client.byKey('k1')
      expect(await client.put('i1', 'k1', { note: 'w1-3' }, there?.etag ?? '')).toBe(true)
      expect(await client.remove('i1', there?.etag ?? '')).toBe(false)

      const side = await sandboxConnector('w1').open({ options: { url, collection: 'c' }, kind: 'contact', role: 'source', connection: 'c1', flow: 'main', secret: () => undefined, signal: never() })()
      if (E.isLeft(side)) throw new Error(side.left.message)
      const { cursor, items } = await readAll(side.right)
      expect(items).toMatchObject([{ key: 'k1', fields: { note: 'w1-3' } }])
      await client.expire()
      expect(await tryReadAll(side.right, { cursor })).toMatchObject({ is: 'cursor-lost' })
      await client.fault({ do: '401' })
      expect(await tryReadAll(side.right)).toMatchObject({ is: 'needs-person' })
      await client.faults([])
      await client.limit({ calls: 0, windowMs: 60_000 })
      expect(await tryReadAll(side.right)).toMatchObject({ is: 'later' })
      await client.limit(null)
      await client.settings({ garbled: ['k1'] })
      expect((await readAll(side.right)).bad).toHaveLength(1)

      expect((await client.all()).map(({ fields }) => fields)).toEqual([{ note: 'w1-3' }])
      const remotes = await client.remotes()
      expect(remotes.map(({ status }) => status)).toEqual([200, 410, 401, 429, 200])
      expect(readHistory(join(dir, 'history.jsonl'))).toEqual(remotes)
    } finally {
      child.kill('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    }
  })
})

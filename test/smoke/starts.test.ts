import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

// vitest forgives what plain Node does not (enums, directory imports, a forgotten "type"), so here nothing but Node runs.
const root = join(import.meta.dirname, '../..')
const services = readdirSync(join(root, 'services'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `services/${name}/main.ts`)
const mains = [...services, 'cli/main.ts']

type Ended = { readonly code: unknown; readonly stdout: string; readonly stderr: string }

/** An empty environment, so that a main which needs a setting or a server in order to load is found out. */
async function plainNode(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'] }, timeout: 15_000 }
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr })
    })
  })
}

describe('plain Node, without a server and without settings', () => {
  it('finds the four services', () => {
    expect(services.map((main) => main.split('/')[1])).toEqual(
      expect.arrayContaining(['conflict-resolver', 'scheduler', 'sync-worker', 'tracker']),
    )
    expect(mains.filter((main) => !existsSync(join(root, main)))).toEqual([])
  })

  it.each(mains)('loads all of %s and says so in one line', async (main) => {
    const ended = await plainNode(main, '--check')
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout.trim()).toMatch(/^[^\n]+$/)
  })
})

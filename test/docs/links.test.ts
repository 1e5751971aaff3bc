import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const pages = globSync(['*.md', 'docs/**/*.md', 'services/*/*.md', 'bench/*.md'], { cwd: root })

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
const anchorsIn = (page: string): ReadonlySet<string> =>
  new Set([...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) => (title ?? '').toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')))

describe.each(pages)('%s', (name) => {
  const page = readFileSync(join(root, name), 'utf8')

  it('points to files and headings that are there', () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target ?? '').filter((target) => !/^https?:/.test(target))
    const broken = links.filter((target) => {
      const [file = '', anchor] = target.split('#')
      const path = file === '' ? join(root, name) : join(root, dirname(name), file)
      return !existsSync(path) || (anchor !== undefined && !anchorsIn(readFileSync(path, 'utf8')).has(anchor))
    })
    expect(broken).toEqual([])
  })

  it('names only files of this repository that are there', () => {
    const named = [...page.matchAll(/`((?:libs|services|cli|test|docs|deploy|bench|examples|bin)\/[\w./-]*[\w/])`/g)].map(([, path]) => path ?? '')
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

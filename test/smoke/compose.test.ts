import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../..')
const validators = [
  ['docker', ['compose']],
  ['docker-compose', []],
] as const
const validator = validators.find(([command, args]) => spawnSync(command, [...args, 'version']).status === 0)

type Service = { build?: unknown; image?: string; command?: string[]; volumes?: string[]; environment?: Record<string, string> }
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, Service>
}

describe('docker-compose.yml', () => {
  it.skipIf(validator === undefined)('is valid for docker compose', () => {
    const [command, args] = validator ?? ['docker', []]
    expect(() => execFileSync(command, [...args, 'config', '-q'], { cwd: root, stdio: 'pipe' })).not.toThrow()
  })

  it('runs every service there is, from its main', () => {
    const started = Object.values(compose.services).flatMap(({ command }) => command ?? [])
    const mains = readdirSync(join(root, 'services')).map((name) => `services/${name}/main.ts`)
    expect(started).toEqual(expect.arrayContaining(mains))
  })

  it('sets nothing that nobody reads', () => {
    const source = (path: string): string => readFileSync(join(root, path), 'utf8')
    const ours = Object.entries(compose.services).filter(([, { image }]) => image === 'syncline:local')
    const unread = ours.flatMap(([name, { environment = {}, command }]) => {
      const read = source('libs/process/settings.ts') + (command?.includes(`services/${name}/main.ts`) === true ? source(`services/${name}/config.ts`) : source('cli/target.ts'))
      return Object.keys(environment).filter((setting) => !setting.startsWith('OTEL_') && !read.includes(`'${setting}'`)).map((setting) => `${name}: ${setting}`)
    })
    expect(ours.length).toBeGreaterThan(4)
    expect(unread).toEqual([])
  })

  it('gives NATS every password its configuration asks for', () => {
    const wanted = ['server', 'accounts'].flatMap((file) => readFileSync(join(root, `deploy/nats/${file}.conf`), 'utf8').match(/(?<=\$)NATS_\w+/g) ?? [])
    for (const node of ['nats-1', 'nats-2', 'nats-3']) expect(Object.keys(compose.services[node]?.environment ?? {})).toEqual(expect.arrayContaining(wanted))
  })

  it('pins every image it does not build', () => {
    const images = Object.values(compose.services).flatMap(({ image, build }) => (build ? [] : [image ?? 'none']))
    expect(images.filter((image) => !/:v?\d+\.\d+/.test(image))).toEqual([])
  })

  it('mounts only files that the repository has', () => {
    const mounted = Object.values(compose.services).flatMap(({ volumes }) => volumes ?? [])
    const files = mounted.map((volume) => volume.split(':')[0] ?? '').filter((path) => path.startsWith('./'))
    expect(files).not.toEqual([])
    expect(files.filter((path) => spawnSync('test', ['-e', path], { cwd: root }).status !== 0)).toEqual([])
  })
})

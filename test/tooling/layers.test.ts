import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ESLint, type Linter } from 'eslint'
import tseslint from 'typescript-eslint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const HOUSE_RULES = [
  'syncline/layers', 'syncline/reasons', 'import-x/no-cycle', 'max-lines', 'no-console',
  'no-restricted-globals', 'no-restricted-imports', 'no-restricted-properties', 'no-restricted-syntax',
  '@typescript-eslint/no-explicit-any',
]
// The files of these cases do not exist, so the rules that need types look away here; they have their own cases below.
const untyped = new ESLint({
  cwd: root,
  overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config,
  ruleFilter: ({ ruleId }) => HOUSE_RULES.includes(ruleId),
})

type Case = readonly [file: string, code: string]

async function messagesFor([file, code]: Case): Promise<Linter.LintMessage[]> {
  const [result] = await untyped.lintText(`${code}\n`, { filePath: join(root, file) })
  const messages = result?.messages ?? []
  expect(messages.filter((message) => message.fatal)).toEqual([])
  return messages
}

async function rulesBrokenBy(code: Case): Promise<string[]> {
  return [...new Set((await messagesFor(code)).map((message) => message.ruleId ?? 'unknown'))]
}

const layer = 'syncline/layers'
const refused: ReadonlyArray<readonly [why: string, rule: string, ...Case]> = [
  ['fp-ts outside its door', layer, 'libs/actor/x.ts', "import * as TE from 'fp-ts/lib/TaskEither.js'"],
  ['fp-ts as a type', layer, 'services/tracker/x.ts', "export type T = import('fp-ts/lib/Either.js').Either<1, 2>"],
  ['a form of io-ts that plain Node cannot load', layer, 'libs/contracts/x.ts', "import 'io-ts/PathReporter'"],
  ['the NATS client in a service', layer, 'services/scheduler/main.ts', "import { connect } from '@nats-io/transport-node'"],
  ['the NATS client in the command line', layer, 'cli/commands/x.ts', "await import('@nats-io/kv')"],
  ['the NATS client in a test', layer, 'test/stories/x.test.ts', "export { Kvm } from '@nats-io/kv'"],
  ['one service from another', layer, 'services/scheduler/x.ts', "import { plan } from '../sync-worker/plan.ts'"],
  ['a service from deep inside another', layer, 'services/conflict-resolver/strategies/x.ts', "import '../../tracker/fold.ts'"],
  ['the adapter in an effect file', layer, 'services/sync-worker/hold-lease.ts', "import { kv } from '#libs/nats/kv.ts'"],
  ['the adapter in a pure file', layer, 'services/sync-worker/plan.ts', "import type { Kv } from '../../libs/nats/kv.ts'"],
  ['the adapter in a connector', layer, 'libs/connectors/file/x.ts', "import { kv } from '#libs/nats/kv.ts'"],
  ['the adapter in another library', layer, 'libs/telemetry/x.ts', "import { kv } from '../nats/kv.ts'"],
  ['a service in a connector', layer, 'libs/connectors/file/x.ts', "import '../../../services/tracker/fold.ts'"],
  ['one vendor in another', layer, 'libs/connectors/file/x.ts', "import '../postgres/sql.ts'"],
  ['a service in a library', layer, 'libs/nats/x.ts', "import '../../services/tracker/fold.ts'"],
  ['the command line in a service', layer, 'services/tracker/x.ts', "import '../../cli/render.ts'"],
  ['test support in the program', layer, 'cli/commands/x.ts', "import '../../test/support/nats-server.ts'"],
  ['a package in the domain', layer, 'libs/domain/x.ts', "import { ulid } from 'ulid'"],
  ['contracts in the domain', layer, 'libs/domain/x.ts', "import '../contracts/tick.ts'"],
  ['a library in the contracts', layer, 'libs/contracts/x.ts', "import '#libs/actor/verdict.ts'"],
  ['Node in a pure file', layer, 'services/scheduler/due.ts', "import { hostname } from 'node:os'"],
  ['Node without its prefix in a pure file', layer, 'services/tracker/fold.ts', "import { readFileSync } from 'fs'"],
  ['random ids from Node in a pure file', layer, 'libs/domain/x.ts', "import { createHash, randomUUID } from 'node:crypto'"],
  ['all of crypto in a pure file', layer, 'libs/domain/x.ts', "import * as crypto from 'node:crypto'"],
  ['the process by import', layer, 'services/scheduler/config.ts', "import { env } from 'node:process'"],
  ['the logger in a pure file', layer, 'services/sync-worker/guard.ts', "import { log } from '#libs/telemetry/log.ts'"],
  ['sleeping in a test', layer, 'test/services/x.test.ts', "import { setTimeout } from 'node:timers/promises'"],
  ['sleeping in a test by the global', 'no-restricted-globals', 'test/libs/x.test.ts', 'setTimeout(() => 1, 5)'],
  ['effects in a pure file', 'no-restricted-imports', 'services/sync-worker/plan.ts', "import { TE } from '#libs/fp.ts'"],
  ['effects in the domain', 'no-restricted-imports', 'libs/domain/x.ts', "import { E, TE } from '../fp.ts'"],
  ['the environment in a service', 'no-restricted-properties', 'services/scheduler/config.ts', "export const a = process.env['A']"],
  ['the environment in a library', 'no-restricted-properties', 'libs/nats/x.ts', 'export const { env } = process'],
  ['the clock in a decision', 'no-restricted-properties', 'services/scheduler/due.ts', 'export const a = Date.now()'],
  ['chance in a decision', 'no-restricted-properties', 'libs/resilience/backoff.ts', 'export const a = Math.random()'],
  ['the clock as a date', 'no-restricted-syntax', 'services/tracker/fold.ts', 'export const a = new Date()'],
  ['the clock in the wire', 'no-restricted-syntax', 'libs/contracts/x.ts', 'export const a = new Date()'],
  ['the process in a decision', 'no-restricted-globals', 'services/sync-worker/settle.ts', 'export const a = process.pid'],
  ['a timer in a decision', 'no-restricted-globals', 'libs/formats/x.ts', 'setTimeout(() => 1, 5)'],
  ['an id in a strategy', 'no-restricted-globals', 'services/conflict-resolver/strategies/x.ts', 'export const a = crypto.randomUUID()'],
  ['a subject in a service', 'no-restricted-syntax', 'services/tracker/x.ts', "export const a = 'sync.result.>'"],
  ['a subject in the adapter', 'no-restricted-syntax', 'libs/nats/x.ts', 'export const a = (id: string) => `sync.work.hot.${id}`'],
  ['a subject in a pure file', 'no-restricted-syntax', 'services/scheduler/due.ts', 'export const a = (id: string) => `sync.${id}`'],
  ['the bucket behind a key', 'no-restricted-syntax', 'services/tracker/x.ts', "export const a = '$KV.sync_state.>'"],
  ['the API of the server', 'no-restricted-syntax', 'cli/commands/x.ts', "export const a = '$JS.API.INFO'"],
  ['talking past the log', 'no-console', 'services/tracker/x.ts', "console.log('hello')"],
  ['any', '@typescript-eslint/no-explicit-any', 'libs/nats/x.ts', 'export const a = (b: any) => b as unknown'],
  ['an exemption without a reason', 'syncline/reasons', 'libs/nats/x.ts', '// eslint-disable-next-line no-console\nexport {}'],
  ['an exemption from everything', 'syncline/reasons', 'libs/nats/x.ts', '// eslint-disable-next-line -- because\nexport {}'],
  ['an exemption from a layer', 'syncline/reasons', 'libs/nats/x.ts', '// eslint-disable-next-line syncline/layers -- because\nexport {}'],
  ['a long file', 'max-lines', 'services/tracker/x.ts', '//\n'.repeat(150)],
  ['a long test', 'max-lines', 'test/services/x.test.ts', '//\n'.repeat(250)],
]

const allowed: ReadonlyArray<readonly [why: string, ...Case]> = [
  ['fp-ts at its door', 'libs/fp.ts', "export * as E from 'fp-ts/lib/Either.js'"],
  ['the NATS client in the adapter', 'libs/nats/x.ts', "import { connect } from '@nats-io/transport-node'\nvoid connect"],
  ['the adapter in a root', 'services/tracker/main.ts', "import { kv } from '#libs/nats/kv.ts'\nexport const a = [kv, process.env['A']]"],
  ['the adapter where ports are bound', 'services/tracker/start.ts', "import '#libs/nats/kv.ts'"],
  ['the adapter in a file named for it', 'services/tracker/nats-shelf.ts', "import '#libs/nats/kv.ts'"],
  ['a service from the command line', 'cli/commands/up.ts', "import '../../services/tracker/main.ts'"],
  ['a service from its test', 'test/services/tracker/fold.test.ts', "import '../../../services/tracker/fold.ts'"],
  ['the engine under a vendor', 'libs/connectors/dexcom/x.ts', "import '../rest/engine.ts'\nimport '../connector.ts'"],
  ['a list of all vendors', 'libs/connectors/catalogue.ts', "import './file/connector.ts'\nimport './postgres/connector.ts'"],
  ['codecs in the domain', 'libs/domain/x.ts', "import * as t from 'io-ts'\nimport { E } from '../fp.ts'\nexport const a = [t, E]"],
  ['hashing in the domain', 'libs/domain/x.ts', "import { createHash } from 'node:crypto'\nexport const a = createHash"],
  ['a given time in a decision', 'services/scheduler/due.ts', 'export const a = (now: number) => new Date(now)'],
  ['subjects where they are spelled', 'libs/contracts/x.ts', "export const a = 'sync.result.>'\nexport const b = '$KV.sync_state.>'"],
  ['the server in the adapter', 'libs/nats/x.ts', "export const a = '$JS.API.INFO'"],
  ['a file called sync.ts', 'cli/commands/x.ts', "export const a = ['sync.ts', 'syncline.span', 'sync. Then rest']"],
  ['an outsider spelling a subject', 'test/stories/x.test.ts', "export const a = 'sync.result.>'\nsetTimeout(() => 1, 5)"],
  ['an exemption with its reason', 'libs/nats/x.ts', '// eslint-disable-next-line no-console -- because\nconsole.log(1)'],
]

describe('a line that its room may not have', () => {
  it.each(refused)('%s is refused by %s', async (_why, rule, ...code) => {
    expect(await rulesBrokenBy(code)).toContain(rule)
  })

  it('is there for every layer of the table', async () => {
    const { LAYERS } = (await import(join(root, 'eslint.layers.js'))) as { LAYERS: { because: string }[] }
    const messages = await Promise.all(refused.map(([_why, _rule, ...code]) => messagesFor(code)))
    const said = messages.flat().map(({ message }) => message)
    const silent = LAYERS.filter(({ because }) => !said.some((message) => message.includes(because)))
    expect(silent).toEqual([])
  })
})

describe('a line that its room may have', () => {
  it.each(allowed)('%s passes', async (_why, ...code) => {
    expect(await rulesBrokenBy(code)).toEqual([])
  })
})

describe('rules that look at more than one line', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syncline-lint-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('two files that import each other are refused', async () => {
    await writeFile(join(folder, 'one.ts'), "import { two } from './two.ts'\nexport const one = () => two\n")
    await writeFile(join(folder, 'two.ts'), "import { one } from './one.ts'\nexport const two = () => one\n")
    const eslint = new ESLint({
      cwd: folder,
      overrideConfigFile: join(root, 'eslint.config.js'),
      overrideConfig: tseslint.configs.disableTypeChecked as Linter.Config,
      ruleFilter: ({ ruleId }) => ruleId === 'import-x/no-cycle',
    })
    const results = await eslint.lintFiles(['one.ts', 'two.ts'])
    expect(results.flatMap((result) => result.messages.map((message) => message.ruleId))).toEqual([
      'import-x/no-cycle',
      'import-x/no-cycle',
    ])
  })

  const typed = new ESLint({ cwd: root, ruleFilter: ({ ruleId }) => /no-floating|exhaustive|no-dropped/.test(ruleId) })
  it.each([
    ['@typescript-eslint/no-floating-promises', 'const later = async () => 1\nlater()'],
    ['@typescript-eslint/switch-exhaustiveness-check', "export const f = (a: 'x' | 'y') => { switch (a) { case 'x': return 1 } return 2 }"],
    ['syncline/no-dropped-effect', 'const effect = () => async () => 1\neffect()'],
  ])('%s fires', async (rule, code) => {
    // A file that exists, because only such a file has types.
    const [result] = await typed.lintText(`${code}\n`, { filePath: join(root, 'libs/fp.ts') })
    expect(result?.messages.map((message) => message.ruleId)).toEqual([rule])
  })

  it('no file switches the whole lint off', async () => {
    const files = globSync('{libs,services,cli,test,bench,examples}/**/*.{ts,js,mjs}', { cwd: root })
    const contents = await Promise.all(files.map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const))
    expect(contents.filter(([, text]) => /\/\*\s*eslint-disable\s*(\*\/|--)/.test(text)).map(([file]) => file)).toEqual([])
  })
})

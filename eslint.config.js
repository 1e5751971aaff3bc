// All rules that make sense are on; what is off or softened says why in a phrase.
// The rooms and what each may mention are in eslint.layers.js.
import js from '@eslint/js'
import { createNodeResolver, importX } from 'eslint-plugin-import-x'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { layers, MAINS, noDroppedEffect, OUTSIDE, PURE, reasons, REAL_TIME_TESTS } from './eslint.layers.js'

const SCRIPTS = ['**/*.{js,mjs}']
const TESTS = ['test/**/*.ts', 'bench/**/*.ts']

/** Files that read better whole than split. Never above 200 lines. */
const LONGER = [
  { file: 'libs/connectors/connector.ts', lines: 200, because: 'the contract reads as one page' },
  { file: 'libs/nats/follow.ts', lines: 190, because: 'an ordered consumer is one state machine' },
  { file: 'libs/nats/kv.ts', lines: 165, because: 'one bucket with all that can be done to it' },
  { file: 'libs/nats/provision.ts', lines: 170, because: 'streams, buckets and consumers go through the same three steps' },
  { file: 'services/sync-worker/hold-lease.ts', lines: 200, because: 'one protocol: every state write shares its turn, its barrier and its term' },
  { file: 'services/sync-worker/targets.ts', lines: 170, because: 'what both sides should show, and the link that remembers it, are one thought' },
  { file: 'services/sync-worker/kv-ledger.ts', lines: 190, because: 'reading, growing and committing share the pages in hand' },
  { file: 'services/sync-worker/streamed-flow.ts', lines: 170, because: 'the story of a stream, opening included' },
  { file: 'services/sync-worker/spooled-flow.ts', lines: 160, because: 'the story of a flow that is planned whole' },
  { file: 'services/sync-worker/streamed-commit.ts', lines: 200, because: 'one transaction told from its tasks to what is left over' },
  { file: 'services/sync-worker/settle-chunk.ts', lines: 190, because: 'the rounds of one chunk, each move a branch' },
]
const tooLong = LONGER.find(({ lines, because }) => lines > 200 || !because)
if (tooLong !== undefined) throw new Error(`${tooLong.file}: at most 200 lines, and with a reason`)

const subjects = {
  sync: 'A subject is spelled once, in libs/contracts: use its builder.',
  server: 'The names of the server ($JS, $KV) are known to libs/contracts and libs/nats only.',
}
const literal = (pattern, message) => [
  { selector: `Literal[value=/${pattern}/]`, message },
  { selector: `TemplateElement:first-child[value.raw=/${pattern}/]`, message },
]
// A subject, a filter or a prefix of one. Names of spans begin with "sync." too, but stop after the second word.
const SYNC_SUBJECTS = literal(
  '^sync\\.($|[*>]|(work|request|result|dead|archive|progress|control|trigger|resolve|api|alert)\\.)',
  subjects.sync,
)
const SERVER_SUBJECTS = literal('^\\$(JS|KV)\\.', subjects.server)
const CLOCKLESS = [
  {
    selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
    message: 'A pure file takes the time as an argument.',
  },
  { selector: 'CallExpression[callee.name="Date"]', message: 'A pure file takes the time as an argument.' },
]

const NO_ENV = {
  object: 'process',
  property: 'env',
  message: 'Only main.ts reads the environment; take a decoded setting as an argument.',
}
const NO_CLOCK_NO_CHANCE = [
  { object: 'Date', property: 'now', message: 'A pure file takes the time as an argument.' },
  { object: 'Math', property: 'random', message: 'A pure file takes chance as an argument.' },
  { object: 'crypto', property: 'randomUUID', message: 'A pure file takes ids as arguments.' },
  { object: 'crypto', property: 'getRandomValues', message: 'A pure file takes chance as an argument.' },
]
const WORLD = [
  'process', 'crypto', 'performance', 'fetch', 'console', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask',
  'globalThis', 'global',
].map((name) => ({ name, message: 'A pure file takes what it needs as arguments.' }))

export default defineConfig(
  {
    name: 'not ours to judge',
    ignores: ['node_modules/', 'coverage/', '.syncline/', 'test/**/fixtures/**'],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },

  {
    name: 'every file',
    extends: [js.configs.recommended],
    plugins: {
      'import-x': importX,
      syncline: { rules: { layers, reasons, 'no-dropped-effect': noDroppedEffect } },
    },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.js', '.mjs'] })],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
      'import-x/extensions': ['.ts', '.js', '.mjs'],
    },
    rules: {
      'syncline/layers': 'error',
      'syncline/reasons': 'error',
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': 'error',
      'import-x/first': 'error',
      'import-x/no-mutable-exports': 'error',
      'array-callback-return': 'error',
      'default-case-last': 'error',
      eqeqeq: 'error',
      'no-await-in-loop': 'off', // order is often the point: one page, one lease, one record after the other
      'no-console': 'error',
      'no-constructor-return': 'error',
      'no-else-return': 'error',
      'no-eval': 'error',
      'no-extend-native': 'error',
      'no-implicit-coercion': ['error', { boolean: true, number: true, string: true }],
      'no-lonely-if': 'error',
      'no-multi-assign': 'error',
      'no-param-reassign': ['error', { props: false }], // filling a map one was given is a plain loop's way
      'no-self-compare': 'error',
      'no-sequences': 'error',
      'no-template-curly-in-string': 'error',
      'no-unneeded-ternary': 'error',
      'no-unreachable-loop': ['error', { ignore: ['ForOfStatement'] }], // for await … return: the first of a stream
      'no-useless-rename': 'error',
      'no-useless-return': 'error',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      'prefer-object-has-own': 'error',
      radix: 'error',
      'max-lines': ['error', { max: 150 }],
      'no-restricted-properties': ['error', NO_ENV],
      'no-restricted-syntax': ['error', ...SYNC_SUBJECTS, ...SERVER_SUBJECTS],
    },
  },

  {
    name: 'TypeScript, with types',
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'syncline/no-dropped-effect': 'error',
      'import-x/no-default-export': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-shadow': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/consistent-type-definitions': ['error', 'type'], // codecs yield types; one form for all
      '@typescript-eslint/consistent-indexed-object-style': 'off', // a named key says what it is: [flow: string]
      '@typescript-eslint/no-invalid-void-type': 'off', // listeners<void>() are told that, and nothing more
      '@typescript-eslint/no-meaningless-void-operator': 'off', // () => void stop() whatever stop may return
      '@typescript-eslint/non-nullable-type-assertion-style': 'off', // a cast that names the type says more than a !
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }], // env['PATH']
      '@typescript-eslint/array-type': 'off', // ReadonlyArray<Slot> and readonly Slot[] both read well
      '@typescript-eslint/require-await': 'off', // a port asks for a promise even where memory has nothing to await
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }], // counts in messages
      '@typescript-eslint/no-confusing-void-expression': 'off', // return stop(), at the end of a callback
      '@typescript-eslint/no-dynamic-delete': 'off', // a record of pages or headers is a plain object on the wire
      '@typescript-eslint/no-unnecessary-condition': 'off', // it does not see a callback change a let meanwhile
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/no-redeclare': 'off', // a codec and its type share one name on purpose
      'no-undef': 'off', // the compiler knows better
    },
  },

  {
    name: 'the wire names the subjects',
    files: ['libs/contracts/**'],
    rules: { 'no-restricted-syntax': ['error', ...CLOCKLESS] },
  },
  {
    name: 'the adapter speaks to the server in its own names',
    files: ['libs/nats/**'],
    rules: { 'no-restricted-syntax': ['error', ...SYNC_SUBJECTS] },
  },
  {
    name: 'pure files',
    files: PURE,
    rules: {
      'no-restricted-globals': ['error', ...WORLD],
      'no-restricted-properties': ['error', NO_ENV, ...NO_CLOCK_NO_CHANCE],
      '@typescript-eslint/switch-exhaustiveness-check': 'error', // a decision answers every variant by name
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '/fp\\.ts$', importNames: ['TE'], message: 'A pure file decides; it has no effect to describe.' },
          ],
        },
      ],
    },
  },
  {
    name: 'pure files outside the wire',
    files: PURE,
    ignores: ['libs/contracts/**'],
    rules: { 'no-restricted-syntax': ['error', ...SYNC_SUBJECTS, ...SERVER_SUBJECTS, ...CLOCKLESS] },
  },

  {
    name: 'roots, and what stands outside the program',
    files: [...MAINS, ...OUTSIDE, ...SCRIPTS, '*.ts'],
    rules: { 'no-restricted-properties': 'off' }, // here the environment is read
  },
  {
    name: 'people read these on a terminal',
    files: ['cli/**', 'bench/**', 'examples/**', ...SCRIPTS],
    rules: { 'no-console': 'off' },
  },
  {
    name: 'tests and benches',
    files: TESTS,
    rules: {
      'max-lines': ['error', { max: 250 }], // a table of cases may be long
      'no-sequences': 'off', // (told.push(x), answer): a stub that notes and answers
      'no-template-curly-in-string': 'off', // code as data is a test's material
      'no-restricted-syntax': 'off', // an outsider spells the subject: that proves the wire has not moved
      '@typescript-eslint/no-unsafe-assignment': 'off', // expect.any(String) is an any by its types
      '@typescript-eslint/no-non-null-assertion': 'off', // a missing value fails the test, which is what is wanted
      '@typescript-eslint/unbound-method': 'off', // expect(ports.publish) never calls it
    },
  },
  {
    name: 'tests on the virtual clock',
    files: ['test/**/*.ts'],
    ignores: REAL_TIME_TESTS,
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval'].map((name) => ({
          name,
          message: 'Wait for a signal or turn the virtual clock; only stories, support and chaos know real time.',
        })),
      ],
    },
  },

  {
    name: 'plain scripts',
    files: SCRIPTS,
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', fetch: 'readonly' },
    },
    rules: {
      'max-lines': ['error', { max: 250 }], // tables and settings, read from top to bottom once
      'syncline/no-dropped-effect': 'off', // needs types
    },
  },
  {
    name: 'settings that a tool loads by its default export',
    files: ['*.config.ts'],
    rules: { 'import-x/no-default-export': 'off' },
  },
  ...LONGER.map(({ file, lines }) => ({ files: [file], rules: { 'max-lines': ['error', { max: lines }] } })),
)

// Knows the rooms of the house: which file may mention what, each line with its reason. eslint.config.js enforces it,
// test/tooling/layers.test.ts proves that every line can fail. Does not know how a TypeScript program is parsed.
import { isBuiltin } from 'node:module'
import { dirname, posix, relative, sep } from 'node:path'

/** Decisions: same input, same output, on any machine. No clock, no chance, no process, nothing of Node. */
export const PURE = [
  'libs/domain/**/*.ts',
  'libs/contracts/**/*.ts',
  'libs/formats/**/*.ts',
  'libs/resilience/{backoff,breaker,budget,call,body-hint,dav-failure,failure-of,http-failure,nameless,network-failure,rate-headers,retry-after}.ts',
  'services/*/{due,catch-up,admit,plan,guard,advance,verdict,flows,lease}.ts',
  'services/*/{classify,fold,resolve,settle,gather,targets,aside,park,plan-totals,projection}.ts',
  'services/conflict-resolver/strategies/**/*.ts',
]

/** The roots: the only places that read the environment. */
export const MAINS = ['services/*/main.ts', 'cli/main.ts']

/** Where a service's ports.ts is bound to NATS; nothing is decided here. `syncline up` uses start.ts without the main. */
export const BINDINGS = ['services/*/{main,start}.ts', 'services/*/nats-*.ts']

/** Code about the program, not in it: it starts servers, reads the environment and speaks the wire as an outsider. */
export const OUTSIDE = ['test/**', 'bench/**']

/** Tests that wait for real processes and real servers, where no clock of ours could be turned. */
export const REAL_TIME_TESTS = ['test/stories/**', 'test/support/**', 'test/chaos/**']

/** What `import { createHash } from 'node:crypto'` means here: the one part of Node that is a pure function. */
const HASHING = 'node:crypto (hashing only)'
const HASHES = new Set(['createHash', 'hash'])

/**
 * One entry per rule. `in`, `except`: globs of the importing file. `never`: what it may not mention (a package, a folder
 * or file of this repository, or `node:`), `but` excepted. `only`: the complete list of what it may mention.
 * `siblings`: the folders directly below that one may not mention each other, `engines` excepted.
 */
export const LAYERS = [
  {
    in: ['**'],
    except: ['libs/fp.ts'],
    never: ['fp-ts'],
    because: 'fp-ts has one door, libs/fp.ts; its other import forms crash under plain Node',
  },
  {
    in: ['**'],
    never: ['io-ts/PathReporter', 'io-ts/Reporter', 'io-ts/es6'],
    because: 'io-ts has no exports map: only "io-ts" and "io-ts/lib/X.js" load under plain Node',
  },
  {
    in: ['**'],
    except: ['libs/nats/**'],
    never: ['@nats-io', 'nats'],
    because: 'the NATS client lives in libs/nats; everyone else uses its functions',
  },
  {
    in: ['services/**'],
    siblings: 'services',
    because: 'services meet on the wire only: say it with a message of libs/contracts',
  },
  {
    in: ['services/**'],
    except: BINDINGS,
    never: ['libs/nats'],
    because: 'a service asks through its own ports.ts; only main.ts, start.ts and nats-*.ts plug NATS in',
  },
  {
    in: ['libs/**'],
    never: ['services', 'cli', 'test', 'bench', 'examples'],
    because: 'a library does not know who uses it',
  },
  {
    in: ['services/**', 'cli/**'],
    never: ['test', 'bench'],
    because: 'the program does not know its tests',
  },
  {
    in: ['services/**'],
    never: ['cli'],
    because: 'a service runs alone; the command line starts it, not the other way round',
  },
  {
    in: ['libs/**'],
    except: ['libs/nats/**', 'libs/process/**'], // libs/process is what the mains have in common
    never: ['libs/nats'],
    because: 'only the roots know which broker there is; a library takes functions',
  },
  {
    in: ['libs/connectors/**'],
    siblings: 'libs/connectors',
    engines: ['rest'],
    because: 'one vendor never leans on another; what two need belongs beside connector.ts',
  },
  {
    in: ['libs/domain/**'],
    only: ['libs/domain', 'libs/fp.ts', 'io-ts', 'croner', HASHING],
    because: 'the domain is plain types and pure functions; of packages it knows codecs and the grammar of cron',
  },
  {
    in: ['libs/contracts/**'],
    only: ['libs/contracts', 'libs/domain', 'libs/fp.ts', 'io-ts'],
    because: 'a contract is a codec over domain types and nothing else',
  },
  {
    in: PURE,
    never: ['node:', 'libs/nats', 'libs/connectors', 'libs/telemetry', 'libs/actor', 'libs/clock.ts', 'libs/random.ts'],
    but: [HASHING],
    because: 'a pure file takes what it needs as arguments',
  },
  {
    in: PURE,
    never: ['pino', 'undici', 'pg', 'ulid', '@opentelemetry'],
    because: 'a pure file takes what it needs as arguments',
  },
  {
    in: ['**'],
    except: [...MAINS, ...OUTSIDE, '*.{js,mjs}', 'bin/**', '.ci/**'],
    never: ['node:process'],
    because: 'the global process is the only door to it, so that the rule on process.env cannot be walked around',
  },
  {
    in: ['test/**'],
    except: REAL_TIME_TESTS,
    never: ['node:timers'],
    because: 'wait for a signal or turn the virtual clock; a test that sleeps is slow and sometimes wrong',
  },
]

/** What an import means: the path of a file of ours, `node:fs` for a builtin however written, else the package. */
export function targetOf(specifier, file) {
  if (specifier.startsWith('#')) return specifier.slice(1)
  if (specifier.startsWith('.')) return posix.normalize(posix.join(dirname(file), specifier))
  return isBuiltin(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : specifier
}

export function brokenLayer(layer, file, target) {
  const matches = (globs) => globs.some((glob) => asRegExp(glob).test(file))
  if (!matches(layer.in) || matches(layer.except ?? [])) return false
  const inside = (prefix) =>
    target === prefix || target.startsWith(`${prefix}/`) || (prefix.endsWith(':') && target.startsWith(prefix))
  if (layer.only !== undefined) return !layer.only.some(inside)
  if (layer.siblings !== undefined) return areSiblings(layer, file, target)
  return layer.never.some(inside) && !layer.but?.includes(target)
}

/** `**` any folders, `*` within one name, `{a,b}` either. Node's own matcher still warns that it is experimental. */
function asRegExp(glob) {
  const source = glob
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, names) => `(?:${names.replaceAll(',', '|')})`)
    .replace(/\*\*\/|\*\*|\*/g, (stars) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*' })[stars])
  return new RegExp(`^${source}$`)
}

function areSiblings({ siblings, engines = [] }, file, target) {
  const [mine, theirs] = [file, target].map((path) => folderBelow(siblings, path))
  return mine !== undefined && theirs !== undefined && mine !== theirs && !engines.includes(theirs)
}

function folderBelow(parent, path) {
  const [folder, ...rest] = path.startsWith(`${parent}/`) ? path.slice(parent.length + 1).split('/') : []
  return rest.length > 0 ? folder : undefined
}

const isHash = (specifier) => specifier.type === 'ImportSpecifier' && HASHES.has(specifier.imported.name)

/** The table above as an ESLint rule. */
export const layers = {
  meta: { type: 'problem', schema: [], messages: { broken: '{{file}} may not mention {{target}}: {{because}}.' } },
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/')
    const check = (source, names) => {
      if (typeof source?.value !== 'string') return
      const target = names?.length > 0 && names.every(isHash) ? HASHING : targetOf(source.value, file)
      for (const layer of LAYERS)
        if (brokenLayer(layer, file, target))
          context.report({ node: source, messageId: 'broken', data: { file, target, because: layer.because } })
    }
    return {
      ImportDeclaration: (node) => check(node.source, node.source.value === 'node:crypto' ? node.specifiers : []),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (node) => check(node.source ?? node.argument?.literal),
      'CallExpression[callee.name="require"]': (node) => check(node.arguments[0]),
    }
  },
}

/** An effect is a function that returns a promise; written as a statement it is dropped, and nothing ever runs. */
export const noDroppedEffect = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { dropped: 'This effect is built and dropped: call it, return it or chain it.' },
  },
  create(context) {
    const services = context.sourceCode.parserServices
    if (!services?.program) return {}
    const checker = services.program.getTypeChecker()
    const isEffect = (type) =>
      type
        .getCallSignatures()
        .some((call) => call.parameters.length === 0 && call.getReturnType().getSymbol()?.getName() === 'Promise')
    return {
      'ExpressionStatement > :matches(CallExpression, AwaitExpression, Identifier, UnaryExpression)'(node) {
        const value = node.type === 'UnaryExpression' ? node.argument : node
        const tsNode = services.esTreeNodeToTSNodeMap.get(value)
        if (isEffect(checker.getTypeAtLocation(tsNode))) context.report({ node, messageId: 'dropped' })
      },
    }
  },
}

/** An exemption says why, or it is a secret. Sizes and layers are exempted in the configuration, never in the file. */
export const reasons = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      silent: 'Say why after " -- ", and name the rules: eslint-disable-next-line some/rule -- because …',
      central: 'An exemption from {{rule}} stands in eslint.config.js with its reason, not here.',
    },
  },
  create(context) {
    const CENTRAL = /\b(max-lines|syncline\/\w[\w-]*|import-x\/no-cycle)\b/
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const [directive, reason] = comment.value.trim().split(/\s--\s/)
          if (!/^eslint(-disable(-next-line|-line)?)?\s/.test(`${directive} `)) continue
          const central = CENTRAL.exec(directive)
          if (central !== null)
            context.report({ loc: comment.loc, messageId: 'central', data: { rule: central[0] } })
          else if (!reason || /^eslint(-disable(-next-line|-line)?)?\s*$/.test(directive))
            context.report({ loc: comment.loc, messageId: 'silent' })
        }
      },
    }
  },
}

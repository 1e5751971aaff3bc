/**
 * Knows how a YAML file becomes plain values, and on which line each of them stands. Bounded: size, nesting, and what
 * anchors expand to. Does not know what a configuration is.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Alias, Document, Node, YAMLMap } from 'yaml'
import { E } from '../fp.ts'
import { pathText, type Path } from './mistake.ts'
import { keyText, mergeKey, offsetIn } from './yaml-nodes.ts'

export type Place = { readonly line: number; readonly column: number }
export type YamlMistake = Place & { readonly path: string; readonly found: string; readonly expected: string; readonly problem?: string; readonly mend?: string }

export type Yaml = {
  readonly value: unknown
  /** Of the value, or of its key; where there is none, of the nearest thing around it. */
  readonly placeOf: (path: Path, on?: 'key') => Place
  /** What is wrong although the rest can be read. */
  readonly mistakes: ReadonlyArray<YamlMistake>
}

/** About 100 000 connections; parsing takes some seconds and 2 GB of memory at this size. */
export const mostBytes = 16 * 1024 * 1024
/** What aliases may add up to; a file of 16 MiB without any stays below. */
const mostNodes = 10_000_000
/** One wrong bracket makes a long tail of complaints. */
const mostSyntaxMistakes = 10

export const parseYaml = (text: string): E.Either<ReadonlyArray<YamlMistake>, Yaml> => {
  const bytes = Buffer.byteLength(text)
  if (bytes > mostBytes) return E.left([atTop({ found: `${bytes} bytes`, expected: `at most ${mostBytes} bytes`, mend: 'split the file: each part can be applied by itself' })])
  const lines = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  // Its own check of double keys takes minutes for a mapping of 60 000 keys; ours is below
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true, uniqueKeys: false, version: '1.2', logLevel: 'error' })
  if (document.errors.length > 0) {
    const tooDeep = document.errors.find(({ code }) => code === 'RESOURCE_EXHAUSTION')
    const errors = tooDeep === undefined ? document.errors.slice(0, mostSyntaxMistakes) : [tooDeep]
    return E.left(errors.map(({ code, message, pos }) => ({ ...placeAt(pos[0]), path: '', found: 'something else', expected: 'YAML', ...inOurWords(code, message) })))
  }
  const found = inspect(document, placeAt)
  if (found.fatal !== undefined) return E.left([...found.mistakes, found.fatal])
  return E.right({
    value: document.toJS({ maxAliasCount: -1 }) as unknown,
    placeOf: (path, on) => placeAt(offsetIn(document, path, on)),
    mistakes: found.mistakes,
  })
}

export const atTop = (mistake: Omit<YamlMistake, 'line' | 'column' | 'path'>): YamlMistake => ({ line: 1, column: 1, path: '', ...mistake })

const inOurWords = (code: string, message: string): { readonly problem: string; readonly mend?: string } => {
  switch (code) {
    case 'TAB_AS_INDENT':
      return { problem: 'a tab stands where YAML wants spaces', mend: 'indent by spaces' }
    case 'RESOURCE_EXHAUSTION':
      return { problem: 'it is nested too deeply', mend: 'a configuration needs about six levels' }
    case 'MULTIPLE_DOCS':
      return { problem: 'a second document begins here', mend: 'take out the line ---, or make it a file of its own' }
    default:
      return { problem: `not YAML: ${message}` }
  }
}

type Inspected = { readonly mistakes: ReadonlyArray<YamlMistake>; readonly fatal?: YamlMistake }

/** Double keys, keys that are not text, tags, aliases without anchor or into themselves, and how much it all expands to. */
const inspect = (document: Document, placeAt: (offset: number) => Place): Inspected => {
  const mistakes: Array<YamlMistake> = []
  let fatal: YamlMistake | undefined
  const anchors = new Map<string, { readonly node: Node; readonly size: number }>()
  const open = new Set<string>()
  const tell = (node: Node | null | undefined, path: Path, mistake: Pick<YamlMistake, 'found' | 'expected' | 'problem' | 'mend'>): YamlMistake =>
    ({ ...placeAt(node?.range?.[0] ?? 0), path: pathText(path), ...mistake })

  const sizeOfAlias = (alias: Alias, path: Path): number => {
    const known = anchors.get(alias.source)
    if (known !== undefined) return known.size
    const why = open.has(alias.source) ? { problem: `*${alias.source} stands inside &${alias.source}` } : { problem: `there is no anchor &${alias.source} before this` }
    fatal ??= tell(alias, path, { found: `*${alias.source}`, expected: 'an anchor that is complete', ...why })
    return 0
  }

  const sizeOf = (node: unknown, path: Path): number => {
    if (isAlias(node)) return sizeOfAlias(node, path)
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return 1
    if (node.anchor !== undefined) open.add(node.anchor)
    if (node.tag?.startsWith('!') === true) mistakes.push(tell(node, path, { found: node.tag, expected: 'a plain value', problem: `the tag ${node.tag} is not understood`, mend: 'leave it out' }))
    let size = 1
    if (isSeq(node)) node.items.forEach((item, i) => { size += sizeOf(item, [...path, i]) })
    else if (isMap(node)) size += sizeOfPairs(node, path)
    if (node.anchor !== undefined) {
      open.delete(node.anchor)
      anchors.set(node.anchor, { node, size })
    }
    if (size > mostNodes) fatal ??= tell(node, path, { found: 'more than that', expected: `at most ${mostNodes} values`, problem: 'the aliases in here expand to too much' })
    return size
  }

  const sizeOfPairs = (map: YAMLMap, path: Path): number => {
    const seen = new Set<string>()
    let size = 0
    for (const pair of map.items) {
      const name = keyText(pair)
      if (name === undefined) {
        mistakes.push(tell(pair.key as Node, path, { found: 'a list or a mapping', expected: 'a name', problem: 'the key is not a plain text' }))
        continue
      }
      if (seen.has(name) && name !== mergeKey) mistakes.push(tell(pair.key as Node, [...path, name], { found: `"${name}" a second time`, expected: 'each key once', mend: 'take one of them out' }))
      seen.add(name)
      size += sizeOf(pair.value, [...path, name])
    }
    return size
  }

  sizeOf(document.contents, [])
  return fatal === undefined ? { mistakes } : { mistakes, fatal }
}

/**
 * Knows the comments that stand in the sources before a codec's fields and declarations. Walks from a declaration into
 * what it is made of, across the imports of libs/contracts and libs/domain. Does not know what the codecs accept.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/** A piece of source that describes a codec, with the note before it; `ofName`: before the declaration it names. */
export type Noted = { readonly node: ts.Expression; readonly note: string; readonly ofName?: string }

const sources = new Map<string, ts.SourceFile>()

const sourceOf = (path: string): ts.SourceFile => {
  const known = sources.get(path)
  if (known !== undefined) return known
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  sources.set(path, source)
  return source
}

/** The doc comment right before a node, as one line. */
const noteBefore = (node: ts.Node): string => {
  const text = node.getSourceFile().text
  const comment = (ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []).map(({ pos, end }) => text.slice(pos, end)).findLast((one) => one.startsWith('/**'))
  return (comment ?? '').replace(/^\/\*\*|\*\/$/g, '').replace(/^\s*\*/gm, '').replace(/\s+/g, ' ').trim()
}

/** What `export const <name> = …` stands for; undefined when there is no such declaration. */
export const declared = (path: string, name: string): Noted | undefined => {
  for (const statement of sourceOf(path).statements) {
    if (ts.isVariableStatement(statement)) {
      const found = statement.declarationList.declarations.find((one) => one.name.getText() === name)
      if (found?.initializer !== undefined) return { node: found.initializer, note: noteBefore(statement) }
    }
    if (ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier) && statement.moduleSpecifier.text.startsWith('.')) {
      const bindings = statement.importClause?.namedBindings
      if (bindings !== undefined && ts.isNamedImports(bindings) && bindings.elements.some((one) => one.name.text === name)) return declared(join(dirname(path), statement.moduleSpecifier.text), name)
    }
  }
  return undefined
}

/** Past names, contracts and `.codec`, to the call that makes the codec. */
const resolved = (node: ts.Expression): ts.Expression => {
  if (ts.isIdentifier(node)) {
    const found = declared(node.getSourceFile().fileName, node.text)
    return found === undefined ? node : resolved(found.node)
  }
  if (ts.isPropertyAccessExpression(node) && node.name.text === 'codec') return resolved(node.expression)
  if (ts.isCallExpression(node) && node.expression.getText() === 'contract') return resolved(node.arguments[1] ?? node)
  return node
}

const argumentsOf = (node: ts.Expression | undefined): ReadonlyArray<ts.Expression> => {
  const call = node === undefined ? undefined : resolved(node)
  return call !== undefined && ts.isCallExpression(call) ? call.arguments : []
}

/** The n-th part of an intersection or a union; its note stands before it or before its declaration. */
export const partOf = (node: ts.Expression | undefined, n: number): Noted | undefined => {
  const [list] = argumentsOf(node)
  const part = list !== undefined && ts.isArrayLiteralExpression(list) ? list.elements[n] : undefined
  if (part === undefined) return undefined
  const own = noteBefore(part)
  const declaration = ts.isIdentifier(part) ? declared(part.getSourceFile().fileName, part.text) : undefined
  return { node: part, note: own !== '' ? own : (declaration?.note ?? '') }
}

/** The field of an object codec. */
export const fieldOf = (node: ts.Expression | undefined, name: string): Noted | undefined => {
  const [object] = argumentsOf(node)
  if (object === undefined || !ts.isObjectLiteralExpression(object)) return undefined
  for (const property of object.properties) {
    if (property.name?.getText().replace(/['"]/g, '') !== name) continue
    const value = ts.isPropertyAssignment(property) ? property.initializer : ts.isShorthandPropertyAssignment(property) ? property.name : undefined
    if (value === undefined) return undefined
    const named = ts.isIdentifier(value) ? declared(value.getSourceFile().fileName, value.text) : undefined
    return { node: value, note: noteBefore(property), ofName: named?.note ?? '' }
  }
  return undefined
}

/** What an array, a record or a refinement is made of. */
export const innerOf = (node: ts.Expression | undefined): ts.Expression | undefined => argumentsOf(node).at(-1)

/**
 * Knows the BEGIN/END tree of vCard and iCalendar text and its bounds (SYNC.md S7).
 * Does not know which components may stand where.
 */
import { E } from '../fp.ts'
import { eachLine, parseContentLine, type ContentLine } from './content-lines.ts'

export type NumberedLine = ContentLine & { readonly at: number }
export type Component = {
  readonly name: string
  /** Number of the line with its BEGIN. */
  readonly at: number
  readonly lines: Array<NumberedLine>
  readonly components: Array<Component>
}

const maxDepth = 8
const maxComponents = 200_000

/** The outermost components of a text; a report names the line. */
export const parseComponents = (text: string, quotedPrintable = false): E.Either<string, ReadonlyArray<Component>> => {
  const roots: Array<Component> = []
  const open: Array<Component> = []
  let count = 0
  const report = eachLine(text, (raw, at) => {
    if (raw.trim() === '') return null
    const parsed = parseContentLine(raw)
    if (E.isLeft(parsed)) return `line ${at}: ${parsed.left}`
    const line = parsed.right
    const inner = open.at(-1)
    const name = line.value.trim().toUpperCase()
    if (line.name === 'BEGIN') {
      if (!/^[A-Z0-9_-]{1,64}$/.test(name)) return `line ${at}: BEGIN without a component name`
      if (open.length === maxDepth) return `line ${at}: nested deeper than ${maxDepth} components`
      if (++count > maxComponents) return `line ${at}: more than ${maxComponents} components`
      const component: Component = { name, at, lines: [], components: [] }
      ;(inner?.components ?? roots).push(component)
      open.push(component)
      return null
    }
    if (inner === undefined) return `line ${at}: a property outside BEGIN and END`
    if (line.name !== 'END') inner.lines.push({ ...line, at })
    else if (open.pop()?.name !== name) return `line ${at}: END does not close the BEGIN:${inner.name} of line ${inner.at}`
    return null
  }, quotedPrintable)
  if (report !== null) return E.left(report)
  const unclosed = open.at(-1)
  if (unclosed !== undefined) return E.left(`line ${unclosed.at}: BEGIN:${unclosed.name} has no END`)
  return roots.length === 0 ? E.left('line 1: empty, no BEGIN found') : E.right(roots)
}

/** Knows how a walk-through stands in a page: scripts, and commands with what they print. Does not run anything. */

/** `code` is said in a comment behind the command: `# … exit code 3`; 0 when nothing is said. */
export type Step = { readonly command: string; readonly code: number; readonly output: ReadonlyArray<string> }

/** Between `<!-- walk: name -->` and `<!-- end of walk -->`: blocks of `sh` are one script, in those of `console` every `$ ` begins a command. */
export const walksIn = (page: string): ReadonlyMap<string, ReadonlyArray<Step>> => {
  const walks = new Map<string, ReadonlyArray<Step>>()
  for (const [, name = '', text = ''] of page.matchAll(/<!-- walk: (.*?) -->([^]*?)<!-- end of walk -->/g)) {
    const steps: Array<Step> = []
    for (const [, indent = '', kind = '', body = ''] of text.matchAll(/^( *)```(sh|console)\n([^]*?)^ *```/gm)) {
      const lines = body.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
      if (kind === 'sh') steps.push({ command: `set -e\n${lines.join('\n')}`, code: 0, output: [] })
      else steps.push(...commandsIn(lines))
    }
    walks.set(name, steps)
  }
  return walks
}

const commandsIn = (lines: ReadonlyArray<string>): ReadonlyArray<Step> => {
  const steps: Array<{ command: string; code: number; output: Array<string> }> = []
  for (const line of lines) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), code: Number(/# .*exit code (\d+)/.exec(line)?.[1] ?? 0), output: [] })
    else if (line !== '') steps.at(-1)?.output.push(line)
  }
  return steps
}

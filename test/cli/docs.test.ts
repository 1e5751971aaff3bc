import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { describeMistake } from '#libs/config/mistake.ts'
import { readConfig } from '#libs/config/read-config.ts'
import { E } from '#libs/fp.ts'
import { registerUp } from '../../cli/commands/up.ts'
import { exitCodes, exitMeanings, type ExitName } from '../../cli/exit-codes.ts'
import type { Io } from '../../cli/io.ts'
import { makeProgram } from '../../cli/program.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
const io = { stdout: () => undefined, stderr: () => undefined } as unknown as Io
const program = makeProgram(io, '0.0.0', [registerUp])

/** Rows of the table under a heading, cell by cell. */
const rowsUnder = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const [, part = ''] = page.split(`\n## ${heading}\n`)
  return (part.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| ')).slice(2).map((line) => line.slice(2, -2).split(' | '))
}

const leaves = (command: Command, path: string): ReadonlyArray<{ readonly usage: string; readonly command: Command }> =>
  command.commands.length === 0 ? [{ usage: usageOf(command, path), command }] : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`))

const usageOf = (command: Command, path: string): string => {
  const args = command.registeredArguments.map((one) => (one.required ? `<${one.name()}${one.variadic ? '...' : ''}>` : `[${one.name()}${one.variadic ? '...' : ''}]`))
  return ['`' + path, ...(command.options.length === 0 ? [] : ['[options]']), ...args].join(' ') + '`'
}

describe('docs/cli.md', () => {
  const all = leaves(program, 'syncline')

  it('names every command, in the order of the program, and no other', () => {
    expect(rowsUnder('Commands').map(([usage]) => usage)).toEqual(all.map(({ usage }) => usage))
  })

  it('names every exit code with its meaning, and no other', () => {
    const expected = (Object.keys(exitCodes) as ReadonlyArray<ExitName>).map((name) => [String(exitCodes[name]), name, exitMeanings[name]])
    expect(rowsUnder('Exit codes')).toEqual(expected)
  })

  it('names every option that all commands take', () => {
    expect(rowsUnder('Options of every command').map(([flags]) => flags)).toEqual(program.options.map(({ flags }) => `\`${flags}\``).filter((flags) => !flags.includes('--version')))
  })

  it('shows a configuration that is right', () => {
    const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(page) ?? []
    const read = readConfig(yaml, 'docs/cli.md')
    expect(E.isLeft(read) ? read.left.map(describeMistake) : read.right.map(({ id }) => id)).toEqual(['contacts', 'meters'])
  })
})

describe('the help of every command', () => {
  it.each(leaves(program, 'syncline').map(({ usage, command }) => [usage, command] as const))('%s has a description and an example', (_usage, command) => {
    let help = ''
    command.configureOutput({ writeOut: (text) => void (help += text) })
    command.outputHelp()
    expect(command.description()).not.toBe('')
    expect(help).toMatch(/\nExamples?:\n {2}\$ /)
  })
})

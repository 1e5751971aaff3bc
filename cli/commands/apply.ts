/** `syncline apply`: a configuration file becomes connections; nothing is written while anything in it is wrong. */
import { readFile, stat } from 'node:fs/promises'
import { resolve, dirname } from 'node:path'
import type { Command } from 'commander'
import { describeMistake } from '#libs/config/mistake.ts'
import { mostBytes } from '#libs/config/parse-yaml.ts'
import { E } from '#libs/fp.ts'
import { carryOut, changesFor, type Change } from '../apply-connections.ts'
import { action, type Call } from '../call.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { refusal, type Refusal } from '../refusal.ts'
import { painter } from '../render.ts'

type Options = { readonly file: string; readonly dryRun?: boolean }

export const registerApply = (program: Command, io: Io): void => {
  program
    .command('apply')
    .description('check a configuration file and put its connections in place')
    .requiredOption('-f, --file <file>', 'the YAML file, or - for standard input')
    .option('--dry-run', 'only say what would change')
    .addHelpText('after', '\nThe whole file is checked first, and every mistake told by line. Connections that are not in the file are left alone,\nand so is `paused` where the file does not speak of it.\n\nExample:\n  $ syncline apply -f sync.yaml --dry-run')
    .action(action<Options>(io, applyFile))
}

const applyFile = async (call: Call<Options>): Promise<ExitCode> => {
  const text = await textOf(call)
  if (E.isLeft(text)) return call.refuse(text.left)
  const { file } = call.options
  // Connectors bring their drivers along, which no other command needs
  const { readConfig } = await import('#libs/config/read-config.ts')
  const folder = file === '-' ? call.io.cwd : dirname(resolve(call.io.cwd, file))
  const read = readConfig(text.right, file === '-' ? 'standard input' : file, undefined, folder)
  if (E.isLeft(read)) {
    call.json({ mistakes: read.left })
    if (call.options.json !== true) for (const mistake of read.left) call.io.stderr(`${describeMistake(mistake)}\n`)
    call.note(`syncline: ${read.left.length === 1 ? 'one mistake' : `${read.left.length} mistakes`}; nothing was applied`)
    return exitCodes.usage
  }
  return onBus(call, async (bus) => {
    const changes = await changesFor(bus, read.right)
    if (E.isLeft(changes)) return call.refuse(changes.left)
    const isDry = call.options.dryRun === true
    const refused = isDry ? [] : await carryOut(bus, changes.right, { at: call.clock.now(), who: call.io.env['USER'] })
    const [first] = refused
    if (first !== undefined) return call.refuse({ ...first, message: `${refused.length} of ${changes.right.length} connections were not written: ${first.message}` })
    tell(call, changes.right, isDry)
    return exitCodes.ok
  })
}

const tell = (call: Call<Options>, changes: ReadonlyArray<Change>, isDry: boolean): void => {
  const paint = painter(call.io)
  const colour = { created: 'green', changed: 'yellow', unchanged: 'dim' } as const
  for (const { connection: { id }, change, fields } of changes) {
    const shown = fields.length > 6 ? `${fields.slice(0, 6).join(', ')} and ${fields.length - 6} more` : fields.join(', ')
    if (changes.length <= 200 || change !== 'unchanged') call.say(`${id}: ${paint(colour[change], change)}${shown === '' ? '' : ` (${shown})`}`)
  }
  const count = (change: Change['change']): number => changes.filter((one) => one.change === change).length
  call.say(`${isDry ? 'would be ' : ''}${count('created')} created, ${count('changed')} changed, ${count('unchanged')} unchanged`)
  call.json({ dryRun: isDry, connections: changes.map(({ connection, change, fields }) => ({ connection: connection.id, change, fields })) })
}

const textOf = async ({ io, options: { file } }: Call<Options>): Promise<E.Either<Refusal, string>> => {
  if (file === '-') return E.right(await io.stdin())
  const path = resolve(io.cwd, file)
  try {
    const { size } = await stat(path)
    if (size > mostBytes) return E.left(refusal(exitCodes.usage, `${file} has ${size} bytes; a configuration has at most ${mostBytes}`, 'split it: each part can be applied by itself'))
    return E.right(await readFile(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'that is a folder' : message
    return E.left(refusal(exitCodes.usage, `${file} cannot be read: ${why}`))
  }
}

/** Knows how a person edits a text in the editor of their choice. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { E } from '#libs/fp.ts'
import { exitCodes } from './exit-codes.ts'
import type { Io } from './io.ts'
import { refusal, type Refusal } from './refusal.ts'

/** `VISUAL`, else `EDITOR`, as a shell command; it ends when the person is done. Left: there is none, or it failed. */
export const editText = async ({ env }: Pick<Io, 'env'>, text: string, name: string): Promise<E.Either<Refusal, string>> => {
  const editor = env['VISUAL'] ?? env['EDITOR'] ?? ''
  if (editor === '') return E.left(refusal(exitCodes.usage, 'no editor is named', 'set EDITOR, or give the text: --body <file>, or --body - for standard input'))
  // Only its owner can look into such a folder
  const folder = await mkdtemp(join(tmpdir(), 'syncline-edit-'))
  try {
    const file = join(folder, name)
    await writeFile(file, text)
    const code = await new Promise<number>((ended) => {
      const child = spawn(`${editor} '${file.replaceAll("'", "'\\''")}'`, { shell: true, stdio: 'inherit', env })
      child.once('error', () => ended(-1)).once('exit', (status) => ended(status ?? -1))
    })
    return code === 0 ? E.right(await readFile(file, 'utf8')) : E.left(refusal(exitCodes.failed, `the editor (${editor}) ended with ${code}; nothing was changed`))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

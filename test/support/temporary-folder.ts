/** Knows a folder that goes away with its test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const temporaryFolder = async (): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'syncline-test-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

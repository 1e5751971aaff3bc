/** Knows where a nats-server of sufficient age may be found. Does not start it. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { E, TE } from '#libs/fp.ts'

export const neededVersion = '2.12.0'

export type NatsServerFailure =
  | { readonly is: 'no-binary'; readonly message: string }
  | { readonly is: 'port-in-use'; readonly message: string }
  | { readonly is: 'not-ready'; readonly message: string }

/** An explicit path, else one on PATH that is new enough, else the one that came with npm. */
export const findNatsServer =
  (options: { readonly binary?: string; readonly path?: string }): TE.TaskEither<NatsServerFailure, string> =>
  async () => {
    if (options.binary !== undefined)
      return existsSync(options.binary)
        ? E.right(options.binary)
        : E.left({ is: 'no-binary', message: `there is no nats-server at ${options.binary}` })
    for (const directory of (options.path ?? '').split(delimiter).filter((part) => part !== '')) {
      const candidate = join(directory, 'nats-server')
      if (existsSync(candidate) && isNewEnough(await versionOf(candidate))) return E.right(candidate)
    }
    try {
      return E.right(createRequire(import.meta.url).resolve('@lagz0ne/nats-embedded-linux-x64/nats-server'))
    } catch {
      const message = `no nats-server ${neededVersion} or later on PATH, and none from npm for ${process.platform} ${process.arch}; install one, or name it by NATS_SERVER_BIN`
      return E.left({ is: 'no-binary', message })
    }
  }

const versionOf = (binary: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(binary, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
    child.once('error', () => resolve(''))
    child.once('close', () => resolve(/v?(\d+\.\d+\.\d+)/.exec(said)?.[1] ?? ''))
  })

const isNewEnough = (found: string): boolean =>
  found !== '' && found.localeCompare(neededVersion, undefined, { numeric: true }) >= 0

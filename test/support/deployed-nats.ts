/**
 * The NATS of docker-compose.yml on this machine: the very files of deploy/nats, with the environment that compose gives
 * them; only addresses and folders are other ones. Does not know what runs on it.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { E } from '#libs/fp.ts'
import { findNatsServer } from '#libs/embedded/find-nats-server.ts'
import { freePort } from '#libs/embedded/ports.ts'
import type { ConnectOptions } from '#libs/nats/connect-options.ts'
import { pause } from './pause.ts'

const root = join(import.meta.dirname, '../..')
const host = '127.0.0.1'
const healthyWithinMs = 120_000 // or it hangs

type Environment = Readonly<Record<string, string>>

export type DeployedNode = { readonly url: string; readonly log: ReadonlyArray<string>; readonly kill: () => Promise<void> }

export type DeployedNats = {
  readonly nodes: ReadonlyArray<DeployedNode>
  readonly urls: ReadonlyArray<string>
  /** What the servers refused for want of a right, as they log it: user and subject. */
  readonly violations: () => ReadonlyArray<string>
  readonly stop: () => Promise<void>
}

/** Command and environment of a service of docker-compose.yml, as they are when there is no .env. */
export const composed = async (service: string): Promise<{ readonly command: ReadonlyArray<string>; readonly environment: Environment }> => {
  const compose = parse(await readFile(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as { services: Record<string, { command?: ReadonlyArray<string>; environment?: Environment }> }
  const { command, environment } = compose.services[service] ?? {}
  if (command === undefined || environment === undefined) throw new Error(`docker-compose.yml has no ${service} with a command and an environment`)
  return { command, environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')])) }
}

/** How one of the users of accounts.conf logs in. */
export const loginOf = async (user: string): Promise<Partial<ConnectOptions>> => {
  const password = (await composed('nats-1')).environment[`NATS_${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`]
  if (password === undefined) throw new Error(`docker-compose.yml has no password of ${user}`)
  return { name: user, inboxPrefix: `_INBOX_${user}`, credentials: { by: 'password', user, password } }
}

/** Resolves when every node says that it is healthy, which is what the services of compose wait for. */
export const startDeployedNats = async (size: 1 | 3): Promise<DeployedNats> => {
  const binary = await findNatsServer({})()
  if (E.isLeft(binary)) throw new Error(binary.left.message)
  const ports = await Promise.all(Array.from({ length: size * 3 }, () => freePort(host)))
  const at = (n: number, which: number): number => ports[(n - 1) * 3 + which] ?? 0
  const names = Array.from({ length: size }, (_, i) => i + 1)
  const server = await readFile(join(root, 'deploy/nats/server.conf'), 'utf8')
  const dirs: Array<string> = []
  const nodes = await Promise.all(
    names.map(async (n) => {
      const dir = await mkdtemp(join(tmpdir(), `syncline-deployed-${n}-`))
      dirs.push(dir)
      await cp(join(root, 'deploy/nats/accounts.conf'), join(dir, 'accounts.conf'))
      const moved = names.reduce((text, m) => (size === 1 ? text : replaced(text, `@nats-${m}:6222`, `@${host}:${at(m, 2)}`)), size === 1 ? withoutCluster(server) : replaced(server, 'port: 6222', `listen: "${host}:${at(n, 2)}"`))
      const text = replaced(replaced(replaced(moved, 'http_port: 8222', `http: "${host}:${at(n, 1)}"`), 'port: 4222', `listen: "${host}:${at(n, 0)}"`), '/data', join(dir, 'data'))
      await writeFile(join(dir, 'server.conf'), text)
      return startNode(binary.right, join(dir, 'server.conf'), (await composed(`nats-${n}`)).environment, `nats://${host}:${at(n, 0)}`)
    }),
  )
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })))
  }
  try {
    await Promise.all(names.map((n) => healthy(`http://${host}:${at(n, 1)}/healthz`, nodes[n - 1])))
  } catch (cause) {
    await stop()
    throw cause
  }
  return { nodes, urls: nodes.map(({ url }) => url), violations: () => nodes.flatMap(({ log }) => log.filter((line) => line.includes('Violation'))), stop }
}

const startNode = (binary: string, config: string, env: Environment, url: string): DeployedNode => {
  const child: ChildProcess = spawn(binary, ['--config', config], { env: { ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  const log: Array<string> = []
  let rest = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    log.push(...lines)
  })
  const atExit = (): void => void child.kill('SIGKILL')
  process.once('exit', atExit)
  return {
    url,
    log,
    kill: async () => {
      process.removeListener('exit', atExit)
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

const healthy = async (url: string, node: DeployedNode | undefined): Promise<void> => {
  for (const end = Date.now() + healthyWithinMs; ; ) {
    const answer = await fetch(url).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok === true) return
    if (Date.now() > end) throw new Error(`${url} is not healthy:\n${node?.log.slice(-20).join('\n')}`)
    await pause(50)
  }
}

/** A file that has changed must not be tested as something else. */
const replaced = (text: string, what: string, by: string): string => {
  if (!text.includes(what)) throw new Error(`deploy/nats/server.conf does not say "${what}" any more`)
  return text.replace(what, by)
}

const withoutCluster = (text: string): string => replaced(text, '\ncluster {', '\ncluster {').slice(0, text.indexOf('\ncluster {'))

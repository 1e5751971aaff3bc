#!/usr/bin/env node
// Knows how to get from whatever Node started it to the Node 24 that can run the TypeScript in this repository.
// Does not know any command: those are in cli/main.ts, which reads the arguments itself.
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { constants as os } from 'node:os'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const WANTED = 24
const LAUNCHED = 'SYNCLINE_LAUNCHED'
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGWINCH']
const self = fileURLToPath(import.meta.url)
const root = dirname(dirname(self))

if (Number.parseInt(process.versions.node, 10) >= WANTED) await run()
else relaunch()

async function run() {
  if (process.env[LAUNCHED] !== undefined) {
    delete process.env[LAUNCHED]
    // The launcher was killed without a chance to say so; nobody else would ever stop this process.
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
    process.channel?.unref()
  }
  await import('../cli/main.ts')
}

function relaunch() {
  const node = process.env[LAUNCHED] === undefined ? findNode() : undefined
  if (node === undefined) {
    process.stderr.write(
      `syncline needs Node ${WANTED} or newer; this is ${process.version} (${process.execPath}).\n` +
        `The repository brings its own as the development dependency "node", but none is installed below ${root}.\n` +
        'Run "npm ci" there (without --omit=dev), or set SYNCLINE_NODE to the path of a newer node.\n',
    )
    process.exitCode = 1
    return
  }
  // A group of its own: the terminal's Ctrl-C then reaches this process only, and is passed on exactly once.
  const child = spawn(node, [...process.execArgv, self, ...process.argv.slice(2)], {
    detached: process.platform !== 'win32',
    env: { ...process.env, [LAUNCHED]: '1' },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  })
  const forward = (signal) => child.kill(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  child.once('error', (error) => {
    process.stderr.write(`syncline cannot start ${node}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    for (const name of FORWARDED) process.off(name, forward)
    if (signal === null) process.exit(code)
    process.exitCode = 128 + (os.signals[signal] ?? 0)
    process.kill(process.pid, signal)
  })
}

/** The node package keeps its binary beside itself, nested below itself or hoisted, depending on who installed it. */
function findNode() {
  const require = createRequire(import.meta.url)
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const arch = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const platformPackages = [`node-${arch}`, `node-bin-${arch}`]
  const homes = ['node', ...platformPackages].flatMap((home) => packageFolder(require, home))
  const nested = homes.flatMap((home) => platformPackages.map((inner) => join(home, 'node_modules', inner)))
  const candidates = [...homes, ...nested].map((home) => join(home, 'bin', name))
  const given = process.env.SYNCLINE_NODE
  return [...(given ? [given] : []), ...candidates].find(isExecutable)
}

function packageFolder(require, name) {
  return (require.resolve.paths(name) ?? []).map((folder) => join(folder, name))
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

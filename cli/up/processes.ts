/** Knows which processes are alive and who holds a port, as far as this machine tells (/proc). Ends none. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

/** A pid is given to another process one day; `mark` (its time of start, '' where unknown) tells the two apart. */
export type ProcessId = { readonly pid: number; readonly mark: string }

export const identify = async (pid: number): Promise<ProcessId> => ({ pid, mark: await markOf(pid) })

export const isAlive = async ({ pid, mark }: ProcessId): Promise<boolean> => {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, and somebody else's
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = await statOf(pid)
  // killed, but not yet buried by its parent: it holds nothing any more
  if (now?.state === 'Z') return false
  return now === undefined || mark === '' || now.mark === mark
}

/** The command line with spaces; '' when there is no such process or none may look. */
export const commandOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim()

/** `nats-server (process 812)`; undefined where this cannot be told, as with other people's processes. */
export const whoListensOn = async (port: number): Promise<string | undefined> => {
  const inode = (await listeningInodes(port))[0]
  if (inode === undefined) return undefined
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue
    for (const fd of await readdir(`/proc/${entry}/fd`).catch(() => [])) {
      if ((await readlink(`/proc/${entry}/fd/${fd}`).catch(() => '')) !== `socket:[${inode}]`) continue
      // Not the whole command line: others keep secrets in theirs
      const name = basename((await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')).split('\0')[0] ?? '')
      return name === '' ? `process ${entry}` : `${name} (process ${entry})`
    }
  }
  return undefined
}

const listening = '0A'

const listeningInodes = async (port: number): Promise<ReadonlyArray<string>> => {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const tables = await Promise.all(['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')))
  return tables.flatMap((table) => table.split('\n')).flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/)
    return local.endsWith(wanted) && state === listening && inode !== undefined ? [inode] : []
  })
}

const markOf = async (pid: number): Promise<string> => (await statOf(pid))?.mark ?? ''

/** The name, in brackets, may hold anything: fields are counted behind its end. */
const statOf = async (pid: number): Promise<{ readonly state: string; readonly mark: string } | undefined> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).trim().split(' ')
  return state === undefined || state === '' ? undefined : { state, mark: fields[18] ?? '' }
}

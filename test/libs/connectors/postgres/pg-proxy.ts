/**
 * Knows a TCP proxy in front of PostgreSQL that understands what the client says, so that a test can count statements and
 * lose exactly the one message it means. Does not know what is in the answers.
 */
import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

export type Heard = 'forward' | 'swallow-answer' | 'cut-before' | 'silence'
export type Proxy = { readonly url: string; readonly statements: ReadonlyArray<string>; readonly connections: () => number }

/**
 * `hear` decides about every statement: `cut-before` breaks the line without passing it on, `swallow-answer` passes it on and
 * breaks the line instead of giving the answer, `silence` lets the line hang.
 */
export const pgProxy = async (url: string, hear: (statement: string) => Heard = () => 'forward'): Promise<Proxy> => {
  const target = new URL(url)
  const statements: Array<string> = []
  const sockets = new Set<Socket>()
  let connections = 0

  const server = createServer((client) => {
    connections += 1
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    let state: Heard = 'forward'
    let rest = Buffer.alloc(0)
    let started = false
    upstream.on('data', (chunk) => {
      if (state === 'swallow-answer') client.destroy()
      else if (state === 'forward') client.write(chunk)
    })
    client.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        // The first message has no letter before its length.
        const at = started ? 1 : 0
        if (rest.length < at + 4) return
        const size = at + rest.readInt32BE(at)
        if (rest.length < size) return
        const message = rest.subarray(0, size)
        rest = rest.subarray(size)
        const statement = started ? statementOf(message) : null
        started = true
        if (statement !== null) {
          statements.push(statement)
          state = hear(statement)
        }
        if (state === 'cut-before') return client.destroy()
        if (state !== 'silence') upstream.write(message)
      }
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<unknown>((closed) => server.close(closed))
  })
  const address = server.address()
  const through = new URL(url)
  through.hostname = '127.0.0.1'
  through.port = String(address !== null && typeof address === 'object' ? address.port : 0)
  return { url: through.href, statements, connections: () => connections }
}

/** Query: its text. Parse: the name of the statement, then its text. */
const statementOf = (message: Buffer): string | null => {
  const letter = String.fromCharCode(message[0] ?? 0)
  const texts = message.subarray(5).toString('latin1').split('\0')
  return letter === 'Q' ? (texts[0] ?? '') : letter === 'P' ? (texts[1] ?? '') : null
}

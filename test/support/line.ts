/**
 * Knows a TCP line that can fall silent: both ends stay open and nothing passes any more, at once or in front of a certain
 * text that the client says. What was held back passes when the line speaks again. Does not know protocols.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type SilentLine = {
  readonly port: number
  readonly silence: () => void
  /** Falls silent before this text leaves for the server; resolves when that has happened. */
  readonly silenceBefore: (text: string) => Promise<void>
  readonly speak: () => void
  /** Connections made so far. */
  readonly connections: () => number
  readonly stop: () => Promise<void>
}

export const silentLine = async (targetPort: number, host = '127.0.0.1'): Promise<SilentLine> => {
  let isSilent = false
  let marker: { readonly text: string; readonly met: () => void } | undefined
  let connections = 0
  const sockets = new Set<Socket>()
  const held: Array<() => void> = []

  const pass = (to: Socket, chunk: Buffer): void => {
    if (isSilent) held.push(() => void to.write(chunk))
    else to.write(chunk)
  }
  const server = createServer((client) => {
    connections++
    const upstream = connect(targetPort, host)
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => {
        sockets.delete(socket)
        // Who is cut off behind a silent line is not told.
        if (isSilent) held.push(() => void other.destroy())
        else other.destroy()
      })
    }
    let said = ''
    client.on('data', (chunk) => {
      if (marker !== undefined) {
        said = (said + chunk.toString('latin1')).slice(-4_096 - chunk.length)
        if (said.includes(marker.text)) {
          isSilent = true
          marker.met()
          marker = undefined
        }
      }
      pass(upstream, chunk)
    })
    upstream.on('data', (chunk) => pass(client, chunk))
  })
  await new Promise<void>((listening) => server.listen(0, host, listening))
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      isSilent = true
    },
    silenceBefore: (text) => new Promise((met) => (marker = { text, met })),
    speak: () => {
      isSilent = false
      for (const go of held.splice(0)) go()
    },
    connections: () => connections,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<unknown>((closed) => server.close(closed))
    },
  }
}

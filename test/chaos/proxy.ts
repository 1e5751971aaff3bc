/**
 * Knows a TCP proxy that can break what goes through it: real sockets, any protocol. Does not know what is said on the line:
 * who wants one certain answer lost gives a test of the bytes that ask for it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

/**
 * `closed`: every line is cut, new ones too. `blackhole`: the lines stay open and nothing passes either way; what was sent
 * meanwhile comes through when it ends, as TCP would repeat it. `reset-after`: a line is cut when the client has sent so many
 * more bytes, which do not reach the other end whole.
 */
export type Fault =
  | { readonly is: 'none' }
  | { readonly is: 'latency'; readonly ms: number }
  | { readonly is: 'closed' }
  | { readonly is: 'blackhole' }
  | { readonly is: 'reset-after'; readonly bytes: number }

export type FaultProxy = {
  readonly port: number
  /** Replaces the fault there was. */
  readonly set: (fault: Fault) => void
  /** Cuts the lines there are; new ones are let through. */
  readonly cut: () => void
  /** The next `times` requests that pass the test are forwarded, and their line is cut when the answer comes. */
  readonly loseAnswers: (times: number, asks: (sent: Buffer) => boolean) => void
  /** Answers lost so far. */
  readonly lost: () => number
  readonly lines: () => number
  readonly stop: () => Promise<void>
}

export const startProxy = async (target: { readonly host: string; readonly port: number }): Promise<FaultProxy> => {
  let fault: Fault = { is: 'none' }
  let toLose = 0
  let lost = 0
  let asks: (sent: Buffer) => boolean = () => false
  const lines = new Set<Line>()
  const shaken = new Set<() => void>()
  const now = (): Fault => fault

  const server: Server = createServer({ noDelay: true }, (client) => {
    if (fault.is === 'closed') return client.resetAndDestroy()
    const upstream = connect({ ...target, noDelay: true })
    const line: Line = { client, upstream, sent: 0, answerIsDoomed: false }
    lines.add(line)
    for (const socket of [client, upstream]) socket.on('error', () => undefined).on('close', () => end(line))
    const there = pump(client, upstream, now, shaken, (chunk) => {
      line.sent += chunk.length
      if (fault.is === 'reset-after' && line.sent > fault.bytes) {
        upstream.write(chunk.subarray(0, Math.floor(chunk.length / 2)), () => reset(line))
        return false
      }
      if (toLose > 0 && asks(chunk)) {
        toLose -= 1
        line.answerIsDoomed = true
      }
      return true
    })
    const back = pump(upstream, client, now, shaken, () => {
      if (!line.answerIsDoomed) return true
      lost += 1
      reset(line)
      return false
    })
    client.once('close', () => (there(), back()))
  })
  const reset = (line: Line): void => {
    line.client.resetAndDestroy()
    line.upstream.destroy()
  }
  const end = (line: Line): void => {
    lines.delete(line)
    // What was written before the other end hung up still gets through.
    line.client.destroySoon()
    line.upstream.destroySoon()
  }
  await new Promise<void>((ready, failed) => server.once('error', failed).listen(0, '127.0.0.1', ready))
  const address = server.address()

  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    set: (next) => {
      fault = next
      for (const line of lines) line.sent = 0
      if (fault.is === 'closed') for (const line of [...lines]) reset(line)
      for (const look of [...shaken]) look()
    },
    cut: () => {
      for (const line of [...lines]) reset(line)
    },
    loseAnswers: (times, test) => {
      toLose = times
      asks = test
    },
    lost: () => lost,
    lines: () => lines.size,
    stop: async () => {
      for (const line of [...lines]) reset(line)
      await new Promise<void>((closed) => server.close(() => closed()))
    },
  }
}

type Line = { readonly client: Socket; readonly upstream: Socket; sent: number; answerIsDoomed: boolean }

/** One direction of a line. `shaken` holds who must look again when the fault changes. Answers how to end it. */
const pump = (from: Socket, to: Socket, fault: () => Fault, shaken: Set<() => void>, mayPass: (chunk: Buffer) => boolean): (() => void) => {
  const waiting: Array<{ readonly chunk: Buffer | null; readonly due: number }> = []
  let timer: NodeJS.Timeout | undefined

  const flow = (): void => {
    clearTimeout(timer)
    if (fault().is === 'blackhole') {
      from.pause()
      return
    }
    for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
      const left = head.due - performance.now()
      if (left > 0) {
        timer = setTimeout(flow, left)
        break
      }
      waiting.shift()
      if (head.chunk === null) to.end()
      else if (!mayPass(head.chunk)) return
      else if (!to.destroyed) to.write(head.chunk)
    }
    // A megabyte behind is enough: the sender is slowed down as a full line would.
    if (waiting.reduce((sum, { chunk }) => sum + (chunk?.length ?? 0), 0) > 1_048_576) from.pause()
    else if (to.writableNeedDrain) {
      from.pause()
      to.once('drain', flow)
    } else from.resume()
  }
  const take = (chunk: Buffer | null): void => {
    const current = fault()
    // Nothing overtakes what was sent before it, when the latency goes down.
    const due = Math.max(performance.now() + (current.is === 'latency' ? current.ms : 0), waiting.at(-1)?.due ?? 0)
    waiting.push({ chunk, due })
    flow()
  }
  from.on('data', take).on('end', () => take(null))
  shaken.add(flow)
  return () => {
    clearTimeout(timer)
    shaken.delete(flow)
  }
}

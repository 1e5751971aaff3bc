import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { until } from '../support/processes.ts'
import { startProxy, type FaultProxy } from './proxy.ts'

/** Echoes every line in capitals; `heard` is what reached it. */
const echo = async () => {
  const heard: Array<string> = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('data', (chunk) => {
      heard.push(chunk.toString())
      socket.write(chunk.toString().toUpperCase())
    })
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const address = server.address()
  const proxy = await startProxy({ host: '127.0.0.1', port: address !== null && typeof address === 'object' ? address.port : 0 })
  onTestFinished(async () => {
    await proxy.stop()
    for (const socket of sockets) socket.destroy()
    await new Promise((closed) => server.close(closed))
  })
  return { proxy, heard }
}

const dial = async (proxy: FaultProxy) => {
  const socket = connect(proxy.port, '127.0.0.1')
  let got = ''
  let closed = false
  socket.on('data', (chunk) => { got += chunk.toString() }).on('error', () => undefined).on('close', () => { closed = true })
  await once(socket, 'connect').catch(() => undefined) // cut at once, which is what some tests mean
  onTestFinished(() => void socket.destroy())
  return { say: (text: string) => void socket.write(text), got: () => got, isClosed: () => closed }
}

describe('a fault proxy', () => {
  it('passes both ways what it is given', async () => {
    const { proxy, heard } = await echo()
    const line = await dial(proxy)
    line.say('hello')
    await until('the answer', () => line.got() === 'HELLO')
    expect(heard).toEqual(['hello'])
  })

  it('delays what passes, each way', async () => {
    const { proxy } = await echo()
    const line = await dial(proxy)
    line.say('a')
    await until('the line works', () => line.got() === 'A')
    proxy.set({ is: 'latency', ms: 100 })
    const from = performance.now()
    line.say('b')
    await until('the answer', () => line.got() === 'AB')
    expect(performance.now() - from).toBeGreaterThanOrEqual(190)
  })

  it('lets nothing overtake what was sent before it, when the delay ends', async () => {
    const { proxy, heard } = await echo()
    proxy.set({ is: 'latency', ms: 150 })
    const line = await dial(proxy)
    line.say('a')
    setTimeout(() => {
      proxy.set({ is: 'none' })
      line.say('b')
    }, 30)
    await until('both answers', () => line.got() === 'AB')
    expect(heard.join('')).toBe('ab')
  })

  it('cuts every line while it is closed, and lets new ones through afterwards', async () => {
    const { proxy } = await echo()
    const before = await dial(proxy)
    proxy.set({ is: 'closed' })
    await until('the old line is cut', before.isClosed)
    const during = await dial(proxy)
    await until('the new line is cut', during.isClosed)
    proxy.set({ is: 'none' })
    const after = await dial(proxy)
    after.say('x')
    await until('an answer', () => after.got() === 'X')
  })

  it('keeps a line half-open in a blackhole, and lets go of what was sent when it ends', async () => {
    const { proxy, heard } = await echo()
    const line = await dial(proxy)
    line.say('first')
    await until('the line works', () => line.got() === 'FIRST')
    proxy.set({ is: 'blackhole' })
    line.say('second')
    const other = await dial(proxy)
    other.say('third')
    await until('the proxy took the other line', () => proxy.lines() === 2)
    expect([heard.join(''), line.isClosed(), other.isClosed()]).toEqual(['first', false, false])
    proxy.set({ is: 'none' })
    await until('what waited came through', () => line.got() === 'FIRSTSECOND' && other.got() === 'THIRD')
  })

  it('cuts a line in the middle of a message', async () => {
    const { proxy, heard } = await echo()
    proxy.set({ is: 'reset-after', bytes: 10 })
    const line = await dial(proxy)
    line.say('12345')
    await until('below the limit all is well', () => line.got() === '12345')
    line.say('abcdefgh')
    await until('the line is cut', line.isClosed)
    await until('half of it arrived', () => heard.join('') === '12345abcd')
  })

  it('loses the answer to the request that is meant, after it was forwarded, and no other', async () => {
    const { proxy, heard } = await echo()
    proxy.loseAnswers(1, (sent) => sent.includes('COMMIT'))
    const line = await dial(proxy)
    line.say('BEGIN')
    await until('other requests are answered', () => line.got() === 'BEGIN')
    line.say('COMMIT')
    await until('the line is cut', line.isClosed)
    expect([heard, line.got(), proxy.lost()]).toEqual([['BEGIN', 'COMMIT'], 'BEGIN', 1])
    const next = await dial(proxy)
    next.say('COMMIT again')
    await until('the next one is answered', () => next.got() === 'COMMIT AGAIN')
  })
})

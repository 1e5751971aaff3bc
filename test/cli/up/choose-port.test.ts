import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { choosePort } from '../../../cli/up/choose-port.ts'
import { exitCodes } from '../../../cli/exit-codes.ts'

const host = '127.0.0.1'
let server: Server
let taken: number
beforeAll(async () => {
  server = createServer()
  await new Promise<void>((ready) => server.listen(0, host, ready))
  taken = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((closed) => server.close(closed)))

describe('a port in use', () => {
  it('is refused with who has it and what to write instead', async () => {
    const chosen = await choosePort(host, { port: taken, ifTaken: 'refuse' }, 'NATS', '--port auto')()
    expect(chosen).toEqual(E.left({
      code: exitCodes.busy,
      message: expect.stringMatching(new RegExp(`^NATS: port ${taken} on 127.0.0.1 is in use( by .+ \\(process ${process.pid}\\))?$`)) as string,
      mend: 'end what uses it, or choose another port: --port auto',
    }))
  })

  it('gives way to a free one where that is allowed, and says so', async () => {
    const chosen = await choosePort(host, { port: taken, ifTaken: 'take-another' }, 'NATS', '')()
    expect(chosen).toMatchObject(E.right({ note: expect.stringContaining(`port ${taken} on 127.0.0.1 is in use`) as string }))
    expect(E.isRight(chosen) && chosen.right.port).not.toBe(taken)
  })
})

it('any free port is one of these', async () => {
  const chosen = await choosePort(host, { port: 0, ifTaken: 'refuse' }, 'NATS', '')()
  expect(E.isRight(chosen) && chosen.right.port).toBeGreaterThan(0)
})

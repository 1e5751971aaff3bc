import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { connect } from '#libs/nats/connect.ts'
import { readEnv, type Env } from '#libs/process/env.ts'
import { connectOptions, natsSettings } from '#libs/process/settings.ts'
import { startTestServer, type TestServer } from '../../support/nats-server.ts'

// The pair of the NATS documentation: a secret of nobody
const seed = 'SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY'
const publicKey = 'UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4'

const read = (env: Env) => {
  const reader = readEnv(env)
  return { settings: natsSettings(reader), mistakes: reader.mistakes() }
}
const noFile = (path: string): string => {
  throw new Error(`no ${path}`)
}

describe('the way to log in', () => {
  it.each<readonly [what: string, env: Env, file: string | undefined, credentials: unknown]>([
    ['nothing said: none', {}, undefined, undefined],
    ['a user', { NATS_USER: 'me', NATS_PASSWORD: 'x' }, undefined, { by: 'password', user: 'me', password: 'x' }],
    ['a credentials file', { NATS_CREDS: 'c' }, 'text of c', { by: 'creds', creds: 'text of c' }],
    ['the seed of an nkey', { NATS_NKEY_SEED: seed }, undefined, { by: 'nkey', seed }],
    ['a file with nothing but the seed', { NATS_NKEY_FILE: 'f' }, `${seed}\n`, { by: 'nkey', seed }],
    ['a file with the seed between lines, and the public key', { NATS_NKEY_FILE: 'f' }, `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n${publicKey}\n`, { by: 'nkey', seed }],
  ])('%s', (_, env, file, credentials) => {
    const { settings, mistakes } = read(env)
    expect(mistakes).toEqual([])
    expect(connectOptions('s', settings, file === undefined ? noFile : () => file).credentials).toEqual(credentials)
  })

  it.each<readonly [what: string, env: Env, mistake: RegExp]>([
    ['a user without a password', { NATS_USER: 'me' }, /^NATS_USER and NATS_PASSWORD: expected both/],
    ['two nkeys', { NATS_NKEY_SEED: seed, NATS_NKEY_FILE: 'f' }, /^NATS_NKEY_SEED and NATS_NKEY_FILE: expected one way/],
    ['an nkey and credentials', { NATS_NKEY_FILE: 'f', NATS_CREDS: 'c' }, /^NATS_NKEY_FILE and NATS_CREDS: expected one way/],
    ['an nkey and a user', { NATS_NKEY_SEED: seed, NATS_USER: 'me', NATS_PASSWORD: 'x' }, /^NATS_NKEY_SEED and NATS_USER: expected one way/],
    ['a public key', { NATS_NKEY_SEED: publicKey }, /^NATS_NKEY_SEED: expected the seed of a user nkey/],
    ['the seed of an account', { NATS_NKEY_SEED: seed.replace('SU', 'SA') }, /^NATS_NKEY_SEED: expected the seed of a user nkey/],
  ])('%s is a mistake', (_, env, mistake) => {
    const { mistakes } = read(env)
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]).toMatch(mistake)
  })

  it('is never repeated in a mistake', () => {
    expect(read({ NATS_NKEY_SEED: `${seed}x` }).mistakes.join()).not.toContain(seed.slice(2, 20))
  })

  it('names the file that has no seed', () => {
    expect(() => connectOptions('s', read({ NATS_NKEY_FILE: '/run/key' }).settings, () => publicKey)).toThrow('/run/key has no seed')
  })
})

describe('a server that knows the public key', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ extra: `authorization { users: [ { nkey: ${publicKey} } ] }` })
  })
  afterAll(() => server.stop())

  it('lets the seed in, and nobody else', async () => {
    const withSeed = await connect(connectOptions('s', read({ NATS_URL: server.url, NATS_NKEY_SEED: seed }).settings, noFile))()
    expect(E.isRight(withSeed)).toBe(true)
    if (E.isRight(withSeed)) await withSeed.right.close()
    expect(await connect(connectOptions('s', read({ NATS_URL: server.url }).settings, noFile))()).toMatchObject({ left: { is: 'denied' } })
  })
})

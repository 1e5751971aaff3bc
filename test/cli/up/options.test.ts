import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import { upOptions, type UpFlags, type UpOptions } from '../../../cli/up/options.ts'

const flags = (some: Partial<UpFlags> = {}): UpFlags => ({ dir: '.syncline', embedded: true, syncInterval: 'always', ...some })
const asked = (some: Partial<UpFlags> = {}, env: Record<string, string> = {}, isTty = true): E.Either<ReadonlyArray<string>, UpOptions> => upOptions(flags(some), env, '/home/ada', isTty)
const right = (either: E.Either<ReadonlyArray<string>, UpOptions>): UpOptions => {
  if (E.isLeft(either)) throw new Error(either.left.join('\n'))
  return either.right
}

describe('ports', () => {
  it.each<[string, Partial<UpFlags>, Record<string, string>, Partial<UpOptions>]>([
    ['are the usual ones, and no others', {}, {}, { natsPort: { port: 4222, ifTaken: 'refuse' }, httpPort: { port: 4280, ifTaken: 'refuse' } }],
    ['may be others in the quickstart, where nobody named them', { quickstart: true }, {}, { natsPort: { port: 4222, ifTaken: 'take-another' } }],
    ['are those that were named, even there', { quickstart: true, port: '4300', httpPort: '4301' }, {}, { natsPort: { port: 4300, ifTaken: 'refuse' }, httpPort: { port: 4301, ifTaken: 'refuse' } }],
    ['are any free ones with auto', { port: 'auto', httpPort: 'auto' }, {}, { natsPort: { port: 0, ifTaken: 'refuse' }, httpPort: { port: 0, ifTaken: 'refuse' } }],
    ['may come from the environment', {}, { TRACKER_HTTP_PORT: '9000' }, { httpPort: { port: 9000, ifTaken: 'refuse' } }],
    ['of NATS are not asked for with --no-embedded', { embedded: false }, {}, { natsPort: undefined }],
  ])('%s', (_, some, env, expected) => expect(right(asked(some, env))).toMatchObject(expected))
})

describe('mistakes', () => {
  it('are told all at once', () => {
    const told = asked({ port: '70000', httpPort: 'x', syncInterval: 'soon', quickstart: true, config: 'a.yaml' })
    expect(E.isLeft(told) && told.left).toEqual([
      '--port: expected a port from 1 to 65535 or auto, found "70000"',
      '--config: --quickstart brings its own; leave one of the two out',
      '--sync-interval: expected always, or a time such as 10s, found "soon"',
      '--http-port: expected a port from 1 to 65535 or auto, found "x"',
    ])
  })

  it('include a port for a server that is not asked for', () => expect(E.isLeft(asked({ embedded: false, port: '4222' }))).toBe(true))
})

describe('what is shown', () => {
  const story = { story: true, logs: 'warnings', format: 'pretty' }
  it.each<[string, Partial<UpFlags>, Record<string, string>, boolean, object]>([
    ['a story on a terminal', {}, {}, true, story],
    ['a story with the logs when they are asked for', { verbose: true }, {}, true, { story: true, logs: 'all', format: 'pretty' }],
    ['JSON lines in a pipe', {}, {}, false, { story: false, logs: 'all', format: 'json' }],
    ['the story also in a pipe in the quickstart', { quickstart: true }, {}, false, story],
    ['nothing but JSON when the format says so', { quickstart: true }, { SYNCLINE_LOG_FORMAT: 'json' }, true, { story: false, logs: 'all', format: 'json' }],
  ])('is %s', (_, some, env, isTty, expected) => expect(right(asked(some, env, isTty)).output).toEqual(expected))
})

it('paths are meant from the current folder', () => {
  expect(right(asked({ config: 'sync.yaml' }))).toMatchObject({ dir: '/home/ada/.syncline', config: '/home/ada/sync.yaml' })
  expect(right(asked({ dir: '/srv/sync' })).dir).toBe('/srv/sync')
})

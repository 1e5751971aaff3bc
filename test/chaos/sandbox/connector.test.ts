/** The sandbox connector on the real sandbox server: the laws, then what the provider's faults come to. */
import { describe, expect, it } from 'vitest'
import { E } from '#libs/fp.ts'
import type { Side } from '#libs/connectors/connector.ts'
import { connectorLaws, type LawItem, type LawRig } from '../../laws/connector.laws.ts'
import { create, never, ok, one, readAll, refused, tryReadAll, write } from '../../laws/law-rig.ts'
import { sandboxConnector } from './connector.ts'
import type { Fault } from './fault.ts'
import { startSandbox, type Sandbox } from './provider.ts'
import { idOf } from './write.ts'

const sample = (n: number, edition = 0): LawItem =>
  ({ key: `key-${n}`, fields: { FN: `item ${n}`, note: `seed-${n}-${edition}`, tags: ['a', `t${edition}`] } })

const odd = ['ключ', 'with space', 'a/b', 'a%2Fb', '..', 'Case', 'case', 'x'.repeat(500)].map((key): LawItem => ({ key, fields: { name: key } }))

const openOn = async (url: string, options: Record<string, unknown> = {}): Promise<Side> => {
  const opened = await sandboxConnector('w1').open({
    options: { url, collection: 'c', ...options }, kind: 'contact', role: 'destination', connection: 'c1', flow: 'main', secret: () => undefined, signal: never(),
  })()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  return opened.right
}

/** As somebody else: under the id the connector would give it, or the one it has. */
const putAt = (sandbox: Sandbox, { key, fields }: LawItem): void => {
  const there = sandbox.collection('c').byKeys([key])[0]
  sandbox.collection('c').put(there?.id ?? idOf(key), key, fields, {})
}

const rig = (options: Record<string, unknown> = {}) => async (): Promise<LawRig> => {
  const sandbox = await startSandbox()
  const collection = sandbox.collection('c')
  collection.settings = { ...collection.settings, refuses: ['poison'] }
  return {
    side: await openOn(sandbox.url, options),
    reopen: () => openOn(sandbox.url, options),
    sample, odd,
    put: async (item) => putAt(sandbox, item),
    remove: async (key) => { for (const { id } of collection.byKeys([key])) collection.remove(id, {}) },
    spoil: async () => {
      putAt(sandbox, sample(98))
      collection.settings = { ...collection.settings, garbled: [sample(98).key] }
    },
    loseCursors: async () => collection.expire(),
    poison: { key: 'poison', fields: { FN: 'poison' } },
    dispose: () => sandbox.stop(),
  }
}

connectorLaws('the sandbox', rig())
connectorLaws('the sandbox without deltas', rig({ delta: false }))
connectorLaws('the sandbox in pages of two', rig({ pageSize: 2 }))

const withSandbox = (faults: ReadonlyArray<Fault>, test: (side: Side, sandbox: Sandbox) => Promise<void>, options: Record<string, unknown> = {}) => async () => {
  const sandbox = await startSandbox()
  try {
    for (const n of [0, 1, 2]) putAt(sandbox, sample(n))
    sandbox.faults.set(faults)
    await test(await openOn(sandbox.url, options), sandbox)
  } finally {
    await sandbox.stop()
  }
}

describe('a provider that misbehaves', () => {
  it('answers 503 twice: read again at once', withSandbox([{ do: '503', times: 2 }], async (side, { remotes }) => {
    expect((await readAll(side)).items).toHaveLength(3)
    expect(remotes.map(({ status }) => status)).toEqual([503, 503, 200])
  }))

  it('answers 503 to a write: nobody knows what it did', withSandbox([{ do: '503' }], async (side) => {
    expect(await write(side, [{ do: 'create', ...sample(5) }])).toMatchObject([{ is: 'failed', failure: { is: 'ambiguous' } }])
  }))

  it('loses the answer to a create: unclear, and the same create again meets its own item', withSandbox([{ do: 'lost-response', times: 1 }], async (side, { remotes }) => {
    expect(await write(side, [{ do: 'create', ...sample(5) }])).toMatchObject([{ is: 'failed', failure: { is: 'ambiguous' } }])
    expect(await write(side, [{ do: 'create', ...sample(5) }])).toEqual([{ is: 'exists', remoteId: idOf('key-5') }])
    expect(remotes).toMatchObject([{ verb: 'CREATE', status: 0, applied: true, mischief: 'lost-response' }, { verb: 'CREATE', status: 412, applied: false }])
  }))

  it('asks for silence in the middle of a batch: the rest is not sent', withSandbox([{ do: '429', times: 1, retryAfterS: 60 }], async (side, { remotes }) => {
    const wrote = await write(side, [{ do: 'create', ...sample(5) }, { do: 'create', ...sample(6) }])
    expect(wrote).toMatchObject([{ is: 'failed', failure: { is: 'later' } }, { is: 'failed', failure: { is: 'later' } }])
    expect(remotes).toHaveLength(1)
    expect(remotes[0]).toMatchObject({ status: 429, retryAfterMs: 60_000 })
  }))

  it('asks for silence with a 503: as obeyed as a 429', withSandbox([{ do: '503', times: 1, retryAfterS: 2 }], async (side, { remotes }) => {
    const wrote = await write(side, [{ do: 'create', ...sample(5) }, { do: 'create', ...sample(6) }])
    expect(wrote).toMatchObject([{ is: 'failed', failure: { is: 'later' } }, { is: 'failed', failure: { is: 'later' } }])
    expect(remotes).toHaveLength(1)
  }))

  it.each(['truncated', 'no-token'] as const)('gives a page that is %s: never a complete listing', (fault) =>
    withSandbox([{ do: fault }], async (side) => {
      expect(await tryReadAll(side)).toMatchObject({ is: 'unavailable' })
    })())

  it('says everything twice, and in another order', withSandbox([{ do: 'duplicated', times: 1 }, { do: 'shuffled', times: 1 }], async (side) => {
    expect((await readAll(side)).items).toHaveLength(6)
    expect((await readAll(side)).items.map(({ key }) => key).sort()).toEqual(['key-0', 'key-1', 'key-2'])
  }))

  it('answers a write without its etag: nobody knows the version', withSandbox([{ do: 'no-etag' }], async (side, { remotes }) => {
    expect(await write(side, [{ do: 'create', ...sample(5) }])).toEqual([{ is: 'done', remoteId: idOf('key-5'), version: null }])
    expect(remotes).toMatchObject([{ verb: 'CREATE', status: 201, applied: true }])
  }))

  it('shows another etag every time', withSandbox([{ do: 'flaky-etags' }], async (side) => {
    const versions = async () => (await readAll(side)).items.map(({ version }) => version)
    const [first, second] = [await versions(), await versions()]
    expect(first.filter((version) => second.includes(version))).toEqual([])
  }))

  it('has lost its memory: lists nothing, and knows nothing by id', withSandbox([{ do: 'amnesia' }], async (side) => {
    expect(await readAll(side)).toMatchObject({ coverage: 'listing', items: [] })
    expect(await ok(side.fetch([idOf('key-0')], never()))).toEqual([])
  }))

  it('answers an empty delta: the cursor stays where it was', withSandbox([], async (side, sandbox) => {
    const { cursor } = await readAll(side)
    putAt(sandbox, sample(7))
    sandbox.faults.set([{ do: 'empty', times: 1 }])
    const nothing = await readAll(side, { cursor })
    expect(nothing).toMatchObject({ coverage: 'delta', items: [] })
    expect((await readAll(side, { cursor: nothing.cursor })).items.map(({ key }) => key)).toEqual(['key-7'])
  }))

  it('forgets the token: 410 is a lost cursor', withSandbox([], async (side, sandbox) => {
    const { cursor } = await readAll(side)
    sandbox.faults.set([{ do: '410', times: 1 }])
    expect(await tryReadAll(side, { cursor })).toMatchObject({ is: 'cursor-lost' })
  }))

  it('does not answer in time: unavailable', withSandbox([{ do: 'slow', ms: 60_000 }], async (side) => {
    expect((await refused(side.read({ cursor: null, limit: 10, resuming: false, signal: never() }))).is).toBe('unavailable')
  }, { timeoutMs: 100 }))

  it('is not there at all', async () => {
    const sandbox = await startSandbox()
    await sandbox.stop()
    expect(await tryReadAll(await openOn(sandbox.url))).toMatchObject({ is: 'unavailable' })
  })

  it('shows what was written only later', withSandbox([], async (side, sandbox) => {
    sandbox.collection('c').settings = { ...sandbox.collection('c').settings, lateMs: 3_600_000 }
    one(await create(side, [sample(5)]))
    expect((await readAll(side)).items).toHaveLength(3)
    sandbox.collection('c').settings = { ...sandbox.collection('c').settings, lateMs: 0 }
    expect((await readAll(side)).items).toHaveLength(4)
  }))

  it('takes no more than so many calls', withSandbox([], async (side, sandbox) => {
    sandbox.limit({ calls: 1, windowMs: 3_600_000 })
    await readAll(side)
    expect(await tryReadAll(side)).toMatchObject({ is: 'later' })
  }))
})

describe('the record', () => {
  it('names worker, connection, side, item, value, precondition and outcome, in order of arrival', withSandbox([], async (side, { remotes }) => {
    const there = (await readAll(side)).items.find(({ key }) => key === 'key-1')
    await write(side, [{ do: 'update', key: 'key-1', remoteId: there?.remoteId ?? '', expect: there?.version ?? null, fields: { note: 'w1-1' } }])
    await write(side, [{ do: 'delete', key: 'key-1', remoteId: there?.remoteId ?? '', expect: '"r0"' }])
    expect(remotes).toMatchObject([
      { verb: 'LIST', status: 200, cursor: null, answered: { last: true, count: 3 } },
      { is: 'remote', by: 'provider', conn: 'c1', side: 'B', worker: 'w1', verb: 'UPDATE', key: 'key-1', value: 'w1-1', was: 'seed-1-0', precondition: '"r2"', status: 200, applied: true },
      { verb: 'DELETE', key: 'key-1', value: null, was: 'w1-1', precondition: '"r0"', status: 412, applied: false },
    ])
  }))
})

import { describe, expect, it } from 'vitest'
import { addressOf } from '#libs/connectors/postgres/address.ts'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'
import { E } from '#libs/fp.ts'

const url = { env: 'DATABASE_URL' }
const mistakes = (options: { readonly [option: string]: unknown }) => postgresConnector.validate(options, 'row')

describe('options', () => {
  const fine: ReadonlyArray<{ readonly [option: string]: unknown }> = [
    { url, table: 'meters' },
    { provider: 'postgres', url: 'postgres://me@db/x', table: 'public.meters', key: ['meter', 'at'], cursor: 'changed_at', cursorLag: '5 s', softDelete: 'gone', sweep: false },
    { url, table: '"odd schema"."odd ""table"""', cursor: 'n', cursorLag: 100 },
    { url, table: 't', columns: { id: 'bigint', v: 'character varying(20)', n: 'numeric(12, 2)', at: 'timestamp(3) with time zone', l: 'text[]' } },
  ]
  for (const options of fine) it(`${JSON.stringify(options)} are fine`, () => expect(mistakes(options)).toEqual([]))

  const wrong: ReadonlyArray<readonly [path: string, options: { readonly [option: string]: unknown }]> = [
    ['url', { table: 't' }], ['url', { url: 5, table: 't' }], ['url', { url: 'mysql://a@b/c', table: 't' }], ['url', { url: 'postgres://me:secret-word@db/x', table: 't' }],
    ['url', { url: 'postgres://me@db/x?sslmode=prefer', table: 't' }], ['url', { url: 'postgres://me@db/x?secret-word=1', table: 't' }],
    ['table', { url }], ['table', { url, table: 'a.b.c' }], ['table', { url, table: 't; DROP TABLE t' }],
    ['key', { url, table: 't', key: [] }], ['key', { url, table: 't', key: ['a', 'a'] }], ['cursor', { url, table: 't', cursor: 7 }],
    ['cursorLag', { url, table: 't', cursor: 'c', cursorLag: 'soon' }], ['cursorLag', { url, table: 't', cursorLag: '5 s' }],
    ['sweep', { url, table: 't', sweep: 'yes' }], ['columns', { url, table: 't', columns: { id: 'bigint); DROP TABLE t' } }], ['tabel', { url, table: 't', tabel: 't' }],
  ]
  for (const [path, options] of wrong) {
    it(`${JSON.stringify(options)} is a mistake of ${path}, with a mend`, () => {
      const found = mistakes(options)
      expect(found.map((mistake) => mistake.path)).toEqual([[path]])
      expect(found[0]?.mend).not.toBe('')
      if (path === 'url' && typeof options['url'] === 'string') expect(JSON.stringify(found)).not.toContain('secret-word@')
    })
  }

  it('all mistakes are told at once', () => expect(mistakes({ tabel: 't', sweep: 1 }).map(({ path }) => path[0])).toEqual(['tabel', 'url', 'table', 'sweep']))
  it('only rows live in tables', () => expect(postgresConnector.validate({ url, table: 't' }, 'contact')).toHaveLength(1))
})

describe('a URL', () => {
  const of = (text: string) => {
    const address = addressOf(text)
    return E.isRight(address) ? address.right : address.left
  }
  it('is read with its escapes', () => expect(of('postgres://m%40x:p%2Fw@h:6000/my%20db')).toMatchObject({ host: 'h', port: 6000, user: 'm@x', password: 'p/w', database: 'my db' }))
  it('asks for TLS unless the server is on this machine, or it says otherwise', () => {
    for (const [text, tls] of [['h', 'verified'], ['localhost', 'off'], ['127.0.0.1', 'off'], ['[::1]', 'off'], ['127.evil.example', 'verified']] as const) expect(of(`postgres://u@${text}/d`)).toMatchObject({ tls })
    expect(of('postgres://u@h/d?sslmode=disable')).toMatchObject({ tls: 'off' })
    expect(of('postgres://u@localhost/d?sslmode=require')).toMatchObject({ tls: 'verified' })
    expect(of('postgres://u@x/d?host=/var/run/postgresql')).toMatchObject({ host: '/var/run/postgresql', tls: 'off' })
  })
  it('that is wrong is never repeated', () => {
    for (const text of ['secret-word', 'postgres://u:secret-word@h', 'http://u:secret-word@h/d', 'postgres://:secret-word@h/d']) {
      expect(typeof of(text)).toBe('string')
      expect(of(text)).not.toContain('secret-word')
    }
  })
})

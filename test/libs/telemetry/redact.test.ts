import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safeFacts, scrub } from '#libs/telemetry/redact.ts'

describe('a text that goes out', () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, out: string]> = [
    ['plain words', 'relation "meters" does not exist', 'relation "meters" does not exist'],
    ['an address without secrets', 'PUT https://dav.example/a/b.vcf 412', 'PUT https://dav.example/a/b.vcf 412'],
    ['user and password', 'connect postgres://app:pw@db:5432/main', 'connect postgres://db:5432/main'],
    ['a password with an at sign', 'connect postgres://app:p@w@db/main', 'connect postgres://db/main'],
    ['a collection named by an address', 'PUT https://dav.example/ann@b.example/c', 'PUT https://dav.example/ann@b.example/c'],
    ['a query', 'GET https://x.example/a?sync_token=1&b=2 failed', 'GET https://x.example/a?[withheld] failed'],
    ['a fragment', 'https://x.example/cb#access_token=1', 'https://x.example/cb?[withheld]'],
    ['two addresses', 'a://u:p@h/1 b://u:p@h/2', 'a://h/1 b://h/2'],
    ['a bearer token', 'sent Bearer abcdef123456', 'sent Bearer [withheld]'],
    ['basic credentials', 'sent Basic dXNlcjpwdw==', 'sent Basic [withheld]'],
    ['a header', 'Authorization: Digest username="u"', 'Authorization: [withheld]'],
    ['a cookie', 'set-cookie: sid=1; Secure', 'set-cookie: [withheld]'],
    ['a connection string', 'host=db user=app password=pw dbname=main', 'host=db user=app password=[withheld] dbname=main'],
    ['a quoted password', "password='p w' host=db", 'password=[withheld] host=db'],
    ['JSON', '{"refresh_token":"abc","a":1}', '{"refresh_token":[withheld],"a":1}'],
    ['a form', 'grant_type=refresh&client_secret=abc&a=1', 'grant_type=refresh&client_secret=[withheld]&a=1'],
    ["a decoder's report", 'not a x.1: a: expected string, found {"n":"Ann; B"}; b.c: expected ("x" | "y"), found "A; B…; d: expected number, found nothing', 'not a x.1: a: expected string; b.c: expected ("x" | "y"); d: expected number'],
    ['found, but not by a decoder', 'expected one, found two', 'expected one, found two'],
    ['the word alone', 'the token has expired', 'the token has expired'],
    ['basic as a word', 'a basic error', 'a basic error'],
  ]
  it.each(cases)('%s', (_, text, out) => {
    expect(scrub(text)).toBe(out)
  })

  it('is cut when it is long', () => {
    expect(scrub('word '.repeat(5_000))).toHaveLength(1_000)
    expect(scrub(`${'word '.repeat(10)}https://user:${'pw'.repeat(5_000)}@host/`)).not.toContain('pw')
  })

  it('is done in a moment, whatever a vendor sent', () => {
    const startedAt = performance.now()
    for (const part of ['a://', 'password=', 'Bearer ', 'x'.repeat(40), '"', 'token:', '[', '?#', ': expected ', ', found ', '; a: expected b, found ', 'Unexpected ']) scrub(part.repeat(100_000))
    // A tenth of a second; whoever looks back at every character needs minutes.
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  it('never holds the password of an address', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{6,12}$/)
    fc.assert(fc.property(word, fc.stringMatching(/^Q[A-Za-z0-9!$&'()*+,;=:@%-]{3,20}Q$/), word, (user, password, host) => {
      expect(scrub(`dial tcp https://${user}:${password}@${host}/path: refused`)).toBe(`dial tcp https://${host}/path: refused`)
    }), { examples: [['admin1', 'Q:::@Q', 'host01']] })
  })
})

describe('facts', () => {
  it('on the allow-list pass, others are withheld by name', () => {
    expect(safeFacts({ conn: 'c', items: 3, dryRun: true, cursor: 'abc', __proto__x: 1 })).toEqual({
      conn: 'c', items: 3, dryRun: true, cursor: '[withheld]', __proto__x: '[withheld]',
    })
  })

  it('that are absent are left out', () => {
    expect(safeFacts({ conn: undefined })).toEqual({})
  })

  it('that are errors keep name, message and code', () => {
    const error = Object.assign(new TypeError('no'), { code: '23505', detail: 'Key (email)=(a@b.c) exists' })
    expect(safeFacts({ error, cause: error })).toEqual({ error: { name: 'TypeError', message: 'no', code: '23505' }, cause: { name: 'TypeError', message: 'no', code: '23505' } })
  })

  it('that are failures keep what a person needs', () => {
    const failure = { is: 'later', message: 'slow down', code: '429', notBefore: 5, flow: 'f', side: 'source', item: 'a.vcf', body: 'x' }
    expect(safeFacts({ error: failure })).toEqual({ error: { is: 'later', message: 'slow down', code: '429', notBefore: 5, flow: 'f', side: 'source', item: 'a.vcf' } })
  })

  it('that are objects are content, except counts', () => {
    expect(safeFacts({ item: { a: 1 }, counts: { created: 2, name: 'x' }, seq: 5n })).toEqual({ item: '[withheld]', counts: { created: 2 }, seq: '5' })
  })

  it('that are lists are cut', () => {
    expect(safeFacts({ flows: Array.from({ length: 50 }, (_, i) => i) }).flows).toHaveLength(20)
  })

  it("that are a decoder's report keep path and expectation", () => {
    expect(safeFacts({ report: ['items.0.key: expected string, found {"a":"b"}', `not JSON: Unexpected token 'A', "Ann Smith" is not valid JSON`] })).toEqual({
      report: ['items.0.key: expected string', 'not JSON: Unexpected [withheld] is not valid JSON'],
    })
  })
})

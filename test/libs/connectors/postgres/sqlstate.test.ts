import { describe, expect, it } from 'vitest'
import { failureOf } from '#libs/connectors/postgres/sqlstate.ts'

const told = (code: string | undefined, message = 'm') => failureOf({ code, message }, 'db:5432/x', 1_000, 0.5)

describe('what a code means (SYNC.md §D.3)', () => {
  const table: ReadonlyArray<readonly [is: string, codes: ReadonlyArray<string>]> = [
    ['unavailable', ['40001', '40P01', '55P03', '57014', '57P01', '57P02', '57P03', '08000', '08001', '08003', '08004', '08006', '25006', 'XX000', '58030', '53000', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ETIMEDOUT']],
    ['ambiguous', ['08007']],
    ['later', ['53300', '53400']],
    ['needs-person', ['53100', '53200', '28P01', '28000', '3D000', '42501', '42P01', '42703', '42804', '0A000', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID']],
    ['bad-item', ['23505', '23503', '23502', '23514', '23P01', '22001', '22003', '22007', '22P02', '22021', '44000', 'P0001']],
    ['cursor-lost', ['55000', '58P01']],
    ['bug', ['25P02', '42601', '0F000', 'ERR_INVALID_ARG_TYPE']],
  ]
  for (const [is, codes] of table) for (const code of codes) it(`${code} is ${is}`, () => expect(told(code)).toMatchObject({ is, code }))

  it.each([
    ['a lost race or a time limit says nothing bad of the server', ['40001', '40P01', '55P03', '57014'], true],
    ['a full disk or memory does, although a person must act', ['53100', '53200'], false],
    ['of the others their kind tells', ['57P01', '08006', '08007', '25006', '28P01', '42P01', 'ECONNREFUSED', 'ENOTFOUND'], undefined],
  ] as const)('%s', (_, codes, well) => {
    for (const code of codes) expect(told(code).providerWell, code).toBe(well)
  })

  it('too many connections wait between 10 and 60 s', () => {
    for (const [chance, at] of [[0, 11_000], [0.5, 36_000], [0.9999, 60_995]] as const) expect(failureOf({ code: '53300', message: 'm' }, 'p', 1_000, chance)).toMatchObject({ notBefore: at })
  })

  it('without a code the words tell', () => {
    expect(told(undefined, 'Connection terminated unexpectedly').is).toBe('unavailable')
    expect(told(undefined, 'Query read timeout').is).toBe('unavailable')
    expect(told(undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string').is).toBe('needs-person')
    expect(told(undefined, 'The server does not support SSL connections')).toMatchObject({ is: 'needs-person', mend: expect.stringContaining('sslmode=disable') })
    expect(told(undefined, 'x is not a function').is).toBe('bug')
  })

  it('every failure that is not about one row says where', () => {
    for (const code of ['57P01', '28P01', '42P01', '53300', '08007']) expect(told(code).message).toContain('db:5432/x')
  })
})

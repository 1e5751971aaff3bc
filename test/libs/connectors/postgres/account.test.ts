import { describe, expect, it } from 'vitest'
import { postgresConnector } from '#libs/connectors/postgres/postgres.ts'

const urls: Readonly<Record<string, string>> = { METERS: 'postgres://reader:secret@db.example:5433/meters?sslmode=disable', BAD: 'not a url' }
const accountOf = (options: Record<string, unknown>) => postgresConnector.account?.({ options, kind: 'row', secret: (name) => urls[name] })

describe('the account of a PostgreSQL side', () => {
  it('is the database, the same for all its tables and users, and tells no password', () => {
    expect(accountOf({ url: { env: 'METERS' }, table: 'readings' })).toBe('db.example:5433/meters')
    expect(accountOf({ url: 'postgres://writer@db.example:5433/meters', table: 'other' })).toBe('db.example:5433/meters')
  })

  it.each([{ url: { env: 'BAD' }, table: 'readings' }, { url: { env: 'MISSING' }, table: 'readings' }, { table: 'readings' }, {}])('is none when the side cannot be opened anyway: %j', (options) => {
    expect(accountOf(options)).toBeUndefined()
  })
})

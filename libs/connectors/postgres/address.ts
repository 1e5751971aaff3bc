/** Knows how a PostgreSQL URL is read: where the server is, who we are, whether TLS is on. Pure; opens nothing. */
import { E } from '../../fp.ts'

export type Address = {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string | undefined
  /** `verified`: certificate and host name are checked, always (SYNC.md S10). */
  readonly tls: 'off' | 'verified'
  /** File with the certificate authority to trust. */
  readonly caFile: string | undefined
}

/** What may be shown of an address: no user, no password. */
export const placeOf = ({ host, port, database }: Address): string => `${host}:${port}/${database}`

const parameters = ['sslmode', 'sslrootcert', 'host']

/** Answers what is wrong with the URL, without repeating it: it may hold a password. */
export const addressOf = (text: string): E.Either<string, Address> => {
  if (!URL.canParse(text)) return E.left('is not a URL such as postgres://user@host:5432/database')
  const url = new URL(text)
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') return E.left(`starts with ${url.protocol}//, not with postgres://`)
  const strange = [...url.searchParams.keys()].find((name) => !parameters.includes(name))
  if (strange !== undefined) return E.left(`has the parameter ${strange}; known are ${parameters.join(', ')}`)
  const host = url.searchParams.get('host') ?? decoded(url.hostname).replace(/^\[|\]$/g, '')
  const database = decoded(url.pathname.slice(1))
  if (host === '') return E.left('names no host')
  if (database === '') return E.left('names no database: end it with /database')
  if (url.username === '') return E.left('names no user: write postgres://user@…')
  const tls = tlsOf(url.searchParams.get('sslmode'), host)
  if (E.isLeft(tls)) return tls
  return E.right({
    host, database, tls: tls.right,
    port: url.port === '' ? 5432 : Number(url.port),
    user: decoded(url.username),
    password: url.password === '' ? undefined : decoded(url.password),
    caFile: url.searchParams.get('sslrootcert') ?? undefined,
  })
}

/** Without `sslmode`: on, except on this machine. `allow` and `prefer` could be talked down, so they are not taken. */
const tlsOf = (mode: string | null, host: string): E.Either<string, Address['tls']> => {
  if (mode === null) return E.right(isOnThisMachine(host) ? 'off' : 'verified')
  if (mode === 'disable') return E.right('off')
  if (['require', 'verify-ca', 'verify-full'].includes(mode)) return E.right('verified')
  return E.left(`has sslmode=${mode}; take verify-full, or disable on a network you trust`)
}

const isOnThisMachine = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('/') || /^127(\.\d+){3}$/.test(host)

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

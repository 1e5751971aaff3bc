/**
 * Knows what PostgreSQL's and the socket's error codes mean for a sync (SYNC.md §D.3 as one table). Pure.
 * Keeps the server's message, never its `detail` or `where`: those repeat whole rows.
 */
import { badItem, bug, needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'

/** An error as `pg`, the socket or TLS gives it. */
export type Fault = { readonly code?: string | undefined; readonly message: string; readonly severity?: string | undefined }

export type Meaning =
  | { readonly is: 'item' }
  /** The transaction lost a race: once more, a few times. */
  | { readonly is: 'again' }
  /** Cut short by a time limit of ours or of the server: it took too long, and the server is well. */
  | { readonly is: 'too-slow' }
  | { readonly is: 'unavailable' }
  | { readonly is: 'ambiguous' }
  | { readonly is: 'full' }
  | { readonly is: 'cursor-lost' }
  | { readonly is: 'drift' }
  | { readonly is: 'bug' }
  /** `providerWell` false: no call of anybody will go well until then. */
  | { readonly is: 'person'; readonly mend: string; readonly providerWell?: false }

const item: Meaning = { is: 'item' }
const again: Meaning = { is: 'again' }
const down: Meaning = { is: 'unavailable' }
const person = (mend: string): Meaning => ({ is: 'person', mend })
const trust = person('give the server a certificate that this machine trusts, name its authority with sslrootcert=<file>, or add sslmode=disable to the URL on a network you trust')
const login = person('correct the user or the password in the URL, or the server\'s pg_hba.conf')
const space: Meaning = { is: 'person', mend: 'free disk space or memory on the database server', providerWell: false }

const byCode: Readonly<Record<string, Meaning>> = {
  '40001': again, '40P01': again, '55P03': again,
  '57014': { is: 'too-slow' }, '57P01': down, '57P02': down, '57P03': down, '25006': down, XX000: down,
  '08007': { is: 'ambiguous' },
  '53300': { is: 'full' }, '53400': { is: 'full' },
  '53100': space, '53200': space,
  '23505': item, '23503': item, '23502': item, '23514': item, '23P01': item, '44000': item, P0001: item,
  '25P02': { is: 'bug' },
  '28P01': login, '28000': login,
  '3D000': person('create the database, or correct its name in the URL'),
  '42501': person('grant the user of the URL the rights it lacks'),
  '42P01': { is: 'drift' }, '42703': { is: 'drift' }, '42804': { is: 'drift' },
  '55000': { is: 'cursor-lost' }, '58P01': { is: 'cursor-lost' },
  '0A000': person('the server cannot do this with this table: use a plain or partitioned table'),
  ECONNREFUSED: down, ECONNRESET: down, EPIPE: down, ETIMEDOUT: down, EHOSTUNREACH: down, ENETUNREACH: down, ENOTFOUND: down, EAI_AGAIN: down, ENOENT: down,
  CERT_HAS_EXPIRED: trust, UNABLE_TO_VERIFY_LEAF_SIGNATURE: trust, SELF_SIGNED_CERT_IN_CHAIN: trust, DEPTH_ZERO_SELF_SIGNED_CERT: trust,
  UNABLE_TO_GET_ISSUER_CERT: trust, UNABLE_TO_GET_ISSUER_CERT_LOCALLY: trust, ERR_TLS_CERT_ALTNAME_INVALID: trust,
}

/** Classes of codes that are not listed one by one. Connection, data and operator errors come in many kinds. */
const byClass: Readonly<Record<string, Meaning>> = { '08': down, '22': item, '23': item, '42': { is: 'bug' }, '53': down, '54': item, '55': down, '57': down, '58': down }

export const meaningOf = ({ code, message }: Fault): Meaning => {
  if (code === undefined) return meaningOfText.find(([text]) => text.test(message))?.[1] ?? { is: 'bug' }
  return byCode[code] ?? byClass[code.slice(0, 2)] ?? (/^[0-9A-Z]{5}$/.test(code) || /^ERR_(?!TLS|SSL|STREAM|SOCKET)/.test(code) ? { is: 'bug' } : down)
}

/** What `pg` says in words only; anything else without a code is a mistake of ours. */
const meaningOfText: ReadonlyArray<readonly [RegExp, Meaning]> = [
  [/^SASL|password must be a string/, login],
  [/does not support SSL/, trust],
  [/connection|timeout|terminated|was closed|not queryable/i, down],
]

/** How long "too many connections" waits: at least 10 s, spread over 50 s more (SYNC.md §D.3). */
const fullWaitMs = (chance: number): number => 10_000 + Math.floor(chance * 50_000)

/** `place`: host:port/database. `chance` in [0, 1) spreads those who come back later. */
export const failureOf = (fault: Fault, place: string, nowMs: number, chance: number): SyncFailure => {
  const meaning = meaningOf(fault)
  const message = `${place}: ${fault.message}`
  const facts = fault.code === undefined ? {} : { code: fault.code }
  switch (meaning.is) {
    case 'item': return badItem(fault.message, facts)
    case 'again':
    case 'too-slow': return unavailable(message, { ...facts, providerWell: true })
    case 'unavailable': return unavailable(message, facts)
    case 'ambiguous': return { is: 'ambiguous', message, ...facts }
    case 'full': return { is: 'later', message, notBefore: nowMs + fullWaitMs(chance), ...facts }
    case 'cursor-lost': return { is: 'cursor-lost', message, ...facts }
    case 'drift': return needsPerson(message, 'compare the table with the flow: a column or the table itself is missing or has another type', facts)
    case 'person': return needsPerson(message, meaning.mend, meaning.providerWell === undefined ? facts : { ...facts, providerWell: meaning.providerWell })
    case 'bug': return { ...bug(message), ...facts }
  }
}

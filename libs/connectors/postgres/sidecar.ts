/**
 * Knows the tables `syncline.checkpoint` and `syncline.link` in the destination's database and every statement on them
 * (SYNC.md §A.1.4). Does not know when they are used.
 */
import { E } from '../../fp.ts'
import { needsPerson, type SyncFailure } from '../../domain/failure.ts'
import { faultOf, type Database } from './database.ts'
import { linkColumns, plainLinkColumns } from './link-row.ts'
import type { Session } from './session.ts'

/**
 * Link keys are compared byte by byte: the order of pages must not depend on the database's locale. With room on its page a
 * link is stored anew beside its old version and no index is touched (HOT): a third less of WAL for a scattered delta (measured).
 */
const tables = `
CREATE TABLE IF NOT EXISTS syncline.checkpoint (
  conn text NOT NULL, flow text NOT NULL, ledger integer GENERATED ALWAYS AS IDENTITY UNIQUE, fence bigint NOT NULL,
  body json, token text, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (conn, flow));
CREATE TABLE IF NOT EXISTS syncline.link (
  ledger integer NOT NULL, link_key text COLLATE "C" NOT NULL, key text, st text NOT NULL DEFAULT 'linked', id_a text, id_b text, ver_a text, ver_b text,
  h_a text, h_b text, gen_a bigint, gen_b bigint, wrote_a bigint, wrote_b bigint, more json, PRIMARY KEY (ledger, link_key)) WITH (fillfactor = 90);
COMMENT ON TABLE syncline.link IS 'What Syncline knows of the rows it keeps in step: checkpoints and links. Without them the next sync is a first one.'`

/** `ledgerKey` (libs/domain/record.ts) in SQL. */
const ledgerKey = `(SELECT CASE WHEN length(n) > 64 OR n ~ '^#|^$|[\\x01-\\x1f\\x7f-\\x9f]|[\\U00010000-\\U0010ffff]' THEN '#' || left(translate(encode(sha256(convert_to(n, 'UTF8')), 'base64'), '+/', '-_'), 22) ELSE n END
  FROM (SELECT CASE getdatabaseencoding() WHEN 'UTF8' THEN normalize(key) ELSE key END AS n) q)`
/** Tables of before plain links: their links are found under digests of connection, flow and identity. */
const upgrade = `UPDATE syncline.link SET link_key = ${ledgerKey};
ALTER TABLE syncline.link ALTER COLUMN key DROP NOT NULL, ALTER COLUMN st SET DEFAULT 'linked';`

/** Any number will do, as long as it is ours: two workers must not make the tables at once. */
const makingLock = 7_353_261_042

const areOld = "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('syncline.link') AND attname = 'key' AND attnotnull)"
const areThere = `SELECT to_regclass('syncline.checkpoint') IS NOT NULL AND to_regclass('syncline.link') IS NOT NULL AND NOT ${areOld}, to_regnamespace('syncline') IS NOT NULL, ${areOld}`

export const ensureSidecar = async (database: Database, session: Session): Promise<E.Either<SyncFailure, void>> => {
  const [tablesAreThere, schemaIsThere, areTheyOld] = (await session.query(areThere)).rows[0] ?? []
  if (tablesAreThere === 't') return E.right(undefined)
  // Even IF NOT EXISTS asks for the right to create one.
  const schema = schemaIsThere === 't' ? '' : 'CREATE SCHEMA IF NOT EXISTS syncline;'
  try {
    await session.query(`BEGIN; SELECT pg_advisory_xact_lock(${makingLock}); ${schema} ${areTheyOld === 't' ? upgrade : tables}; COMMIT`)
    return E.right(undefined)
  } catch (cause) {
    const { code, message } = faultOf(cause)
    if (code !== '42501') throw cause
    await session.query('ROLLBACK')
    const who = (await session.query('SELECT quote_ident(current_user), quote_ident(current_database())')).rows[0] ?? []
    return E.left(needsPerson(`${database.place}: the tables beside the data cannot be made: ${message}`,
      `as an owner of the database run: CREATE SCHEMA IF NOT EXISTS syncline AUTHORIZATION ${who[0] ?? ''}; or: GRANT CREATE ON DATABASE ${who[1] ?? ''} TO ${who[0] ?? ''};`, { code }))
  }
}

/** Parameters: conn, flow, fence. Waits for the open transaction of a zombie on the row. */
export const raiseFence = 'UPDATE syncline.checkpoint SET fence = $3::bigint, at = now() WHERE conn = $1 AND flow = $2 AND fence < $3::bigint RETURNING body'
export const firstClaim = 'INSERT INTO syncline.checkpoint (conn, flow, fence) VALUES ($1, $2, $3::bigint) ON CONFLICT (conn, flow) DO NOTHING RETURNING body'
export const stored = 'SELECT fence, body, ledger FROM syncline.checkpoint WHERE conn = $1 AND flow = $2'
/** Waits until nobody holds the row: what COMMIT did is decided then. */
export const storedForSure = 'SELECT fence, token FROM syncline.checkpoint WHERE conn = $1 AND flow = $2 FOR UPDATE'
/** Parameters: conn, flow, fence, body, token. Nothing updated = fenced. */
export const moveCheckpoint = 'UPDATE syncline.checkpoint SET fence = $3::bigint, body = $4::json, token = $5, at = now() WHERE conn = $1 AND flow = $2 AND fence <= $3::bigint'

const names = linkColumns.join(', ')
const mine = 'ledger = (SELECT ledger FROM syncline.checkpoint WHERE conn = $1 AND flow = $2)'

export const copyPlainLinks = `COPY syncline.link (${plainLinkColumns.join(', ')}) FROM STDIN`
export const copyLinks = `COPY syncline.link (ledger, ${names}) FROM STDIN`
const types: Readonly<Record<string, string>> = { gen_a: '::bigint', gen_b: '::bigint', wrote_a: '::bigint', wrote_b: '::bigint', more: '::json' }
/** Parameters: ledger, then one list for each of `linkColumns`. */
export const putLinks = `INSERT INTO syncline.link (ledger, ${names}) SELECT $1::int, ${linkColumns.map((column) => `q.${column}${types[column] ?? ''}`).join(', ')}
  FROM unnest(${linkColumns.map((_, n) => `$${n + 2}::text[]`).join(', ')}) q(${names})
  ON CONFLICT (ledger, link_key) DO UPDATE SET ${linkColumns.slice(1).map((column) => `${column} = excluded.${column}`).join(', ')}`
/** Parameters: conn, flow, how many. */
export const forgetLinks = `DELETE FROM syncline.link WHERE ${mine} AND link_key IN (SELECT link_key FROM syncline.link WHERE ${mine} LIMIT $3::int)`
export const dropLinks = 'DELETE FROM syncline.link l USING unnest($2::text[]) q(link_key) WHERE l.ledger = $1::int AND l.link_key = q.link_key'

/** Parameters: conn, flow, keys. */
export const linksByKey = `SELECT l.* FROM unnest($3::text[]) q(link_key) CROSS JOIN LATERAL (SELECT ${names} FROM syncline.link WHERE ${mine} AND link_key = q.link_key LIMIT 1) l`
export const linksByIdA = `SELECT ${names} FROM syncline.link WHERE ${mine} AND (id_a = ANY($3::text[]) OR (key IS NULL AND link_key = ANY($3::text[])))`
/** Made when the first tombstone asks for it: a load of a million rows should not pay for what it may never need. */
export const indexIdA = 'CREATE INDEX IF NOT EXISTS link_id_a ON syncline.link (ledger, id_a)'

const unseen = "st <> 'tomb' AND (gen_a IS NULL OR gen_a < $3::bigint)"
/** Parameters: conn, flow, generation, after, limit. */
export const unseenLinks = `SELECT ${names} FROM syncline.link WHERE ${mine} AND ${unseen} AND link_key > $4 ORDER BY link_key LIMIT $5::int`
export const countLinks = `SELECT count(*), count(*) FILTER (WHERE ${unseen}), count(*) FILTER (WHERE ${unseen} AND (id_b IS NOT NULL OR key IS NULL)) FROM syncline.link WHERE ${mine}`
/** Parameters: conn, flow, after, limit. */
export const allLinks = `SELECT ${names} FROM syncline.link WHERE ${mine} AND link_key > $3 ORDER BY link_key LIMIT $4::int`
/** Of a plain link both ids are told by its key. */
export const sizeOfLinks = `SELECT count(*) FILTER (WHERE id_a IS NOT NULL OR key IS NULL), count(*) FILTER (WHERE id_b IS NOT NULL OR key IS NULL) FROM syncline.link WHERE ${mine}`

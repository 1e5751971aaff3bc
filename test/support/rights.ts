/**
 * What each user of deploy/nats/accounts.conf is for, said a second time and in another way, so that a slip there shows:
 * all subjects there are, and which of them are whose business. Does not ask a server.
 */
import { consumerDefs } from '#libs/contracts/streams.ts'
import { buckets, streams, subjects } from '#libs/contracts/subjects.ts'

const follows = (...names: ReadonlyArray<string>) => names.flatMap((name) => [`$JS.API.CONSUMER.CREATE.KV_${name}.any.$KV.${name}.`, `$JS.API.CONSUMER.DELETE.KV_${name}.any`, `$JS.FC.KV_${name}.`])
const reads = (...names: ReadonlyArray<string>) => names.map((name) => `$JS.API.STREAM.MSG.GET.${name}`)
const pulls = (stream: string, ...consumers: ReadonlyArray<string>) => consumers.flatMap((consumer) => [`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, `$JS.ACK.${stream}.${consumer}.`])
const looksAt = (stream: string, ...consumers: ReadonlyArray<string>) => consumers.map((consumer) => `$JS.API.CONSUMER.INFO.${stream}.${consumer}`)

/** What each user may publish: a subject here, or one that begins with an entry ending in a dot. */
const business: Readonly<Record<string, ReadonlyArray<string>>> = {
  scheduler: [
    'sync.work.', 'sync.request.', 'sync.dead.', 'sync.result.any.skipped', '$KV.sync_scheduler.',
    ...pulls('SYNC_REQUESTS', 'scheduler'), ...reads('SYNC_WORK', 'KV_sync_scheduler', 'KV_sync_status', 'KV_sync_connections'), ...follows('sync_connections'),
  ],
  'sync-worker': [
    'sync.request.', 'sync.result.', 'sync.dead.', 'sync.archive.', 'sync.audit.', 'sync.progress.', 'sync.resolve.', '$KV.sync_state.', '$KV.sync_providers.', '$KV.sync_provenance.',
    ...pulls('SYNC_WORK', 'worker-hot', 'worker-cold'), ...reads('SYNC_WORK', 'SYNC_ARCHIVE', 'KV_sync_state', 'KV_sync_status', 'KV_sync_connections', 'KV_sync_providers', 'KV_sync_provenance'),
    ...follows('sync_connections', 'sync_providers'), '$JS.API.STREAM.MSG.DELETE.SYNC_WORK', '$JS.API.STREAM.INFO.KV_sync_state', '$JS.API.DIRECT.GET.KV_sync_state.$KV.sync_state.ckpt.',
  ],
  'conflict-resolver': [],
  tracker: [
    'sync.alert.', 'sync.audit.', 'sync.dead.', 'sync.result.any.dead', 'sync.trigger.', 'sync.request.', '$KV.sync_status.', '$KV.sync_history.', '$KV.sync_stats.',
    ...pulls('SYNC_RESULTS', 'tracker'), ...pulls('SYNC_DEAD', 'tracker-dead'), ...pulls('SYNC_ADVISORIES', 'tracker-advisories'),
    ...looksAt('SYNC_RESULTS', 'tracker'), ...looksAt('SYNC_DEAD', 'tracker-dead'), ...looksAt('SYNC_ADVISORIES', 'tracker-advisories'), ...looksAt('SYNC_WORK', 'worker-hot', 'worker-cold'),
    ...reads('SYNC_WORK', 'SYNC_DEAD', 'SYNC_RESULTS', 'KV_sync_state', 'KV_sync_status', 'KV_sync_history', 'KV_sync_stats'),
    ...follows('sync_connections', 'sync_status', 'sync_history', 'sync_stats'), '$JS.API.STREAM.MSG.DELETE.SYNC_WORK', '$JS.API.STREAM.MSG.DELETE.SYNC_DEAD',
    '$JS.API.STREAM.INFO.SYNC_WORK', '$JS.API.STREAM.INFO.SYNC_DEAD', '$JS.API.STREAM.INFO.KV_sync_history',
  ],
  client: ['sync.trigger.', 'sync.api.status', 'sync.api.history', 'sync.api.statistics', 'sync.api.status.', 'sync.api.history.', 'sync.api.statistics.'],
}

/** Every subject of the contracts that can be listened to; a new one is refused to everybody until it is named above. */
const patterns = Object.values(subjects).filter((value) => typeof value === 'string')
const allStreams = [...Object.values(streams), ...Object.values(buckets).map((bucket) => `KV_${bucket}`)]
const streamVerbs = ['CREATE', 'UPDATE', 'DELETE', 'PURGE', 'INFO', 'SNAPSHOT', 'RESTORE', 'MSG.GET', 'MSG.DELETE', 'LEADER.STEPDOWN', 'PEER.REMOVE']
const everything: ReadonlyArray<string> = [
  ...patterns.map((pattern) => pattern.replace('*', 'any').replace('>', 'any')),
  'sync.alert.any', 'sync.work.hot.any', 'sync.work.cold.any',
  ...['succeeded', 'partial', 'failed', 'dead', 'cancelled', 'skipped', 'held'].map((outcome) => `sync.result.any.${outcome}`),
  'sync.archive.any.main.key', 'sync.archive.any.main.created.source',
  ...['status', 'history', 'statistics', 'clear', 'dlq-list', 'dlq-show', 'dlq-redrive', 'dlq-edit', 'dlq-discard'].flatMap((verb) => [`sync.api.${verb}`, `sync.api.${verb}.any`]),
  ...Object.values(buckets).map((bucket) => `$KV.${bucket}.any`),
  ...allStreams.flatMap((name) => streamVerbs.map((verb) => `$JS.API.STREAM.${verb}.${name}`)),
  ...allStreams.flatMap((name) => [`$JS.API.CONSUMER.CREATE.${name}`, `$JS.API.CONSUMER.CREATE.${name}.any`, `$JS.API.CONSUMER.DURABLE.CREATE.${name}.any`, `$JS.API.CONSUMER.DELETE.${name}.any`, `$JS.API.CONSUMER.NAMES.${name}`, `$JS.API.DIRECT.GET.${name}`]),
  ...['lease.any', 'ckpt.any.main', 'page.any.main.1'].map((key) => `$JS.API.DIRECT.GET.KV_${buckets.state}.$KV.${buckets.state}.${key}`),
  ...Object.values(streams).map((name) => `$JS.API.CONSUMER.CREATE.${name}.any.sync.>`),
  ...Object.values(buckets).map((bucket) => `$JS.API.CONSUMER.CREATE.KV_${bucket}.any.$KV.${bucket}.>`),
  ...consumerDefs.flatMap(({ stream, durable }) => [`$JS.API.CONSUMER.DELETE.${stream}.${durable}`, `$JS.API.CONSUMER.INFO.${stream}.${durable}`, `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, `$JS.API.CONSUMER.PAUSE.${stream}.${durable}`, `$JS.ACK.${stream}.${durable}.1.1.1.1.0`]),
  '$JS.API.INFO', '$JS.API.STREAM.NAMES', '$JS.API.STREAM.LIST', '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.SYNC_WORK.worker-hot', '$SRV.PING', '$SYS.REQ.SERVER.PING',
  ...['admin', 'scheduler', 'sync-worker', 'conflict-resolver', 'tracker'].map((user) => `_INBOX_${user}.any`),
]

const hearings: Readonly<Record<string, ReadonlyArray<string>>> = {
  scheduler: ['sync.trigger.*', 'sync.operate.*', '$SRV.PING'],
  'sync-worker': ['sync.control.*', '$JS.EVENT.ADVISORY.STREAM.*.KV_sync_state'],
  'conflict-resolver': ['sync.resolve.*', '$SRV.PING'],
  tracker: ['sync.api.>', 'sync.progress.*', '$SRV.PING'],
  client: ['sync.result.>', 'sync.progress.*', 'sync.alert.*'],
}
const allHearings = [...new Set(['>', 'sync.>', '$KV.>', '$JS.>', '$SYS.>', ...patterns, 'sync.work.hot.*', '_INBOX.>', '_INBOX_admin.>', ...Object.keys(business).map((user) => `_INBOX_${user}.>`), ...Object.values(hearings).flat()])]

export const users: ReadonlyArray<string> = Object.keys(business)

const isBusiness = (user: string, subject: string): boolean => (business[user] ?? []).some((entry) => entry === subject || (entry.endsWith('.') && subject.startsWith(entry)))

/** What this user must not publish. */
export const foreignSubjects = (user: string): ReadonlyArray<string> => everything.filter((subject) => !isBusiness(user, subject))

/** What this user must not subscribe to. */
export const foreignHearings = (user: string): ReadonlyArray<string> => allHearings.filter((subject) => !hearings[user]?.includes(subject) && subject !== `_INBOX_${user}.>`)

/** Knows how to bring streams, buckets and consumers into being. Does not know which, and never takes any away. */
import { AckPolicy, DeliverPolicy, DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream'
import type { ConsumerConfig, StreamConfig } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { KvOptions } from '@nats-io/kv'
import { E, TE } from '#libs/fp.ts'
import type { BucketDef, ConsumerDef, Definitions, StreamDef } from '../contracts/definitions.ts'
import { natsFailureOf } from './failure.ts'
import type { NatsFailure } from './failure.ts'
import type { Bus } from './connect.ts'

export type Drift = { readonly what: string; readonly field: string; readonly found: unknown; readonly wanted: unknown }

export type Provisioned = { readonly created: ReadonlyArray<string>; readonly drift: ReadonlyArray<Drift> }

/**
 * Creates what is missing and reports what differs. A difference is never repaired here: lowering a limit deletes
 * messages, and who changed it may have meant it.
 */
export const provision =
  (bus: Bus) =>
  (definitions: Definitions, options: { readonly replicas: number }): TE.TaskEither<NatsFailure, Provisioned> =>
  async () => {
    const created: string[] = []
    const drift: Drift[] = []
    let at = ''
    const ensure = async <Config extends object>(
      what: string,
      wanted: Config,
      find: () => Promise<Config>,
      create: () => Promise<Config>,
    ) => {
      at = what
      const found = (await unlessMissing(find)) ?? (await createOnce(find, create, () => created.push(what)))
      drift.push(...differences(what, found, wanted))
    }
    try {
      const look = async (name: string) => (await bus.jsm.streams.info(name)).config
      for (const def of definitions.streams) {
        const config = streamConfig(def, options.replicas)
        await ensure<Partial<StreamConfig>>(`stream ${def.name}`, config, () => look(def.name), async () => (await bus.jsm.streams.add(config)).config)
      }
      for (const def of definitions.buckets) {
        const stream = `KV_${def.name}`
        await ensure<Partial<StreamConfig>>(`bucket ${def.name}`, bucketConfig(def, options.replicas), () => look(stream), async () => {
          await new Kvm(bus.nc).create(def.name, bucketOptions(def, options.replicas))
          // The bucket API knows no atomic batches; an update of its stream adds them (NATS.md §1.2)
          return def.allowAtomic === true ? (await bus.jsm.streams.update(stream, { allow_atomic: true })).config : look(stream)
        })
      }
      for (const def of definitions.consumers)
        await ensure<Partial<ConsumerConfig>>(
          `consumer ${def.durable} of ${def.stream}`,
          consumerConfig(def),
          async () => (await bus.jsm.consumers.info(def.stream, def.durable)).config,
          async () => (await bus.jsm.consumers.add(def.stream, consumerConfig(def))).config,
        )
      return E.right({ created, drift })
    } catch (cause) {
      return E.left(named(at, natsFailureOf(cause)))
    }
  }

const named = (what: string, failure: NatsFailure): NatsFailure => {
  if (failure.is === 'other') return { ...failure, message: `${what}: ${failure.message}` }
  return failure.is === 'not-found' ? { ...failure, what: `${what}: ${failure.what}` } : failure
}

const unlessMissing = async <T>(find: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await find()
  } catch (cause) {
    if (natsFailureOf(cause).is === 'not-found') return undefined
    throw cause
  }
}

/** Two processes may start together: who comes second finds what the first created. */
const createOnce = async <T>(find: () => Promise<T>, create: () => Promise<T>, onCreated: () => void): Promise<T> => {
  try {
    const made = await create()
    onCreated()
    return made
  } catch (cause) {
    const found = await unlessMissing(find)
    if (found === undefined) throw cause
    return found
  }
}

const nanos = (ms: number): number => ms * 1e6

const storageOf = (storage: 'file' | 'memory' | undefined) => (storage === 'memory' ? StorageType.Memory : StorageType.File)

const described = (def: { readonly description?: string }) =>
  def.description === undefined ? {} : { description: def.description }

const streamConfig = (def: StreamDef, replicas: number) => ({
  name: def.name,
  subjects: [...def.subjects],
  retention: def.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
  discard: def.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
  discard_new_per_subject: def.discardNewPerSubject ?? false,
  max_msgs_per_subject: def.maxMsgsPerSubject ?? -1,
  max_age: nanos(def.maxAgeMs ?? 0),
  max_bytes: def.maxBytes ?? -1,
  max_msg_size: def.maxMsgSize ?? -1,
  duplicate_window: nanos(def.duplicateWindowMs ?? 120_000),
  storage: storageOf(def.storage),
  allow_direct: def.allowDirect ?? false,
  num_replicas: replicas,
  ...described(def),
})

const mayReadDirect = ({ allowDirect = false }: BucketDef, replicas: number): boolean =>
  allowDirect === 'with-one-replica' ? replicas === 1 : allowDirect

const bucketOptions = (def: BucketDef, replicas: number): Partial<KvOptions> => ({
  history: def.history,
  replicas,
  storage: storageOf(def.storage),
  allow_direct: mayReadDirect(def, replicas),
  ...(def.maxAgeMs === undefined ? {} : { ttl: def.maxAgeMs }),
  ...(def.maxBytes === undefined ? {} : { max_bytes: def.maxBytes }),
  ...(def.markerTtlMs === undefined ? {} : { markerTTL: def.markerTtlMs }),
  ...described(def),
})

/** What a bucket's stream must look like, whoever made it: to tell drift. */
const bucketConfig = (def: BucketDef, replicas: number) => ({
  name: `KV_${def.name}`,
  subjects: [`$KV.${def.name}.>`],
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.New,
  max_msgs_per_subject: def.history,
  max_age: nanos(def.maxAgeMs ?? 0),
  max_bytes: def.maxBytes ?? -1,
  storage: storageOf(def.storage),
  allow_direct: mayReadDirect(def, replicas),
  allow_rollup_hdrs: true,
  num_replicas: replicas,
  ...(def.markerTtlMs === undefined ? {} : { allow_msg_ttl: true, subject_delete_marker_ttl: nanos(def.markerTtlMs) }),
  ...(def.allowAtomic === true ? { allow_atomic: true } : {}),
  ...described(def),
})

const consumerConfig = (def: ConsumerDef) => ({
  durable_name: def.durable,
  name: def.durable,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  ack_wait: nanos(def.ackWaitMs),
  max_deliver: def.maxDeliver,
  max_ack_pending: def.maxAckPending,
  ...filtersOf(def.filterSubjects ?? []),
  ...described(def),
})

const filtersOf = ([only, ...more]: ReadonlyArray<string>) =>
  only === undefined ? {} : more.length === 0 ? { filter_subject: only } : { filter_subjects: [only, ...more] }

/** Only the wanted fields are compared: the server adds its own, and leaves out what is empty. */
const differences = (what: string, found: object, wanted: object): ReadonlyArray<Drift> =>
  Object.entries(wanted).flatMap(([field, value]: [string, unknown]) => {
    const there: unknown = Reflect.get(found, field)
    if (value === undefined) return [] // the library has written on the configuration we handed it
    return JSON.stringify(there ?? emptyLike(value)) === JSON.stringify(value) ? [] : [{ what, field, found: there, wanted: value }]
  })

const emptyLike = (value: unknown): unknown => (typeof value === 'boolean' ? false : typeof value === 'number' ? 0 : '')

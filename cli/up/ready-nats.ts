/** Knows how NATS gets ready for the services: started or reached, new enough, with its streams. Does not know the services. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { neededVersion } from '#libs/embedded/find-nats-server.ts'
import { E } from '#libs/fp.ts'
import { connect, type Bus } from '#libs/nats/connect.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { provision } from '#libs/nats/provision.ts'
import { assertServerVersion } from '#libs/nats/server-version.ts'
import { connectOptions, defaultNatsUrl, type NatsSettings } from '#libs/process/settings.ts'
import { refusalOf } from '../refusal.ts'
import type { BringUp } from './bring-up.ts'
import { startOwnNats, type OwnNats } from './nats.ts'
import { failed, orThrow } from './not-up.ts'

export type ReadyNats = {
  /** Without user and password. */
  readonly url: string
  readonly settings: NatsSettings
  readonly own: OwnNats | undefined
  readonly bus: Bus
  /** Version of the server. */
  readonly found: string
}

/** Rejects with `NotUp`. `open` hears of a server of our own as soon as it runs: from then on it must be ended. */
export const readyNats = async (ask: Pick<BringUp, 'options' | 'env' | 'clock' | 'givenNats'>, open: (name: string, server: OwnNats) => void): Promise<ReadyNats> => {
  const nats = await natsOf(ask)
  if (nats.own !== undefined) open('nats-server', nats.own)
  const connected = await connect(connectOptions('up', nats.settings, (path) => readFileSync(path, 'utf8')))()
  const bus = orThrow(E.mapLeft((failure: NatsFailure) => failed(describeNatsFailure(failure)))(connected))
  const cannot = E.mapLeft(refusalOf('cannot provision'))
  try {
    const found = orThrow(cannot(assertServerVersion(bus, neededVersion)))
    // More replicas are asked for by `syncline provision --replicas`; what is there is left as it is
    orThrow(cannot(await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: 1 })()))
    return { ...nats, bus, found }
  } catch (cause) {
    await bus.close()
    throw cause
  }
}

const natsOf = async ({ options, env, clock, givenNats }: Parameters<typeof readyNats>[0]): Promise<Pick<ReadyNats, 'url' | 'settings' | 'own'>> => {
  const { natsPort: port, syncInterval } = options
  if (givenNats !== undefined || port === undefined) {
    const settings = givenNats ?? { servers: [defaultNatsUrl] }
    return { url: settings.servers.map((url) => url.replace(/\/\/[^@/]*@/, '//')).join(','), settings, own: undefined }
  }
  const own = orThrow(await startOwnNats({ folder: join(options.dir, 'nats'), port, syncInterval, env, clock })())
  return { url: own.url, settings: { servers: [own.url] }, own }
}

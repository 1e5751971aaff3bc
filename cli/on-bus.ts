/** Knows how a command gets its connection to NATS, and what is said when there is none. */
import { readFileSync } from 'node:fs'
import { E } from '#libs/fp.ts'
import { connect, type Bus } from '#libs/nats/connect.ts'
import type { ConnectOptions } from '#libs/nats/connect-options.ts'
import { describeNatsFailure, type NatsFailure } from '#libs/nats/failure.ts'
import { connectOptions } from '#libs/process/settings.ts'
import type { Call } from './call.ts'
import { exitCodes, type ExitCode } from './exit-codes.ts'
import { refusal, type Refusal } from './refusal.ts'
import { findTarget, type Target } from './target.ts'

export const onBus = async (call: Pick<Call, 'io' | 'options' | 'refuse'>, run: (bus: Bus, target: Target) => Promise<ExitCode>): Promise<ExitCode> => {
  const target = findTarget(call.io, call.options)
  if (E.isLeft(target)) return call.refuse(target.left)
  const bus = await connectTo(target.right)
  if (E.isLeft(bus)) return call.refuse(bus.left)
  try {
    return await run(bus.right, target.right)
  } finally {
    await bus.right.close()
  }
}

export const connectTo = async (target: Target): Promise<E.Either<Refusal, Bus>> => {
  const options = E.tryCatch(() => optionsFor(target), (cause) => refusal(exitCodes.usage, `the credentials cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`))
  if (E.isLeft(options)) return options
  return E.mapLeft(unreachable(target))(await connect(options.right)())
}

/** The inbox of a user is named after the user: see deploy/nats/accounts.conf. */
const optionsFor = ({ nats }: Target): ConnectOptions => ({ ...connectOptions('cli', nats, (path) => readFileSync(path, 'utf8')), inboxPrefix: `_INBOX_${nats.user ?? 'cli'}` })

const unreachable = ({ nats, from, stale }: Target) => (failure: NatsFailure): Refusal => {
  const where = `${nats.servers.map((url) => url.replace(/\/\/[^@/]*@/, '//')).join(', ')} (${from})`
  if (failure.is === 'denied') return refusal(exitCodes.failed, `NATS at ${where} does not let us in: ${failure.message}`, 'give --user and NATS_PASSWORD, --creds, or NATS_NKEY_FILE')
  const why = describeNatsFailure(failure).replace(/^cannot connect to NATS at [^ ]*: /, '')
  const gone = stale === undefined ? '' : `; the \`syncline up\` of ${stale} has ended`
  return refusal(exitCodes.failed, `cannot reach NATS at ${where}: ${why}${gone}`, 'start one with `npm start`, or name yours with --server or NATS_URL')
}

/** ROOT of the conflict-resolver: its endpoint on a connection that is there. Used by main.ts and by `syncline up`. */
import { runningService } from '#libs/actor/lifecycle.ts'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { describeNatsFailure } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { serve } from '#libs/nats/serve.ts'
import type { Service, ServiceDeps } from '#libs/process/service-process.ts'
import { answerQuestions } from './actor.ts'
import { configOf } from './config.ts'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'

const serviceName = 'conflict-resolver'

export type Deps = Ports & Pick<ServiceDeps, 'bus' | 'version'>

/** Rejects with a readable Error when NATS refuses. The connection stays with the caller, who closes it. */
export const start = async (config: Config, { bus, version, ...ports }: Deps): Promise<RunningService> => {
  const complain = (failure: NatsFailure): void => ports.log.error('resolver.failed', { reason: describeNatsFailure(failure) })
  const serving = await serve(bus)({
    name: serviceName,
    version,
    description: 'Decides who wins where both sides of a connection were changed. Pure; any number of replicas.',
    queue: serviceName,
    endpoints: [{ name: 'resolve', subject: subjects.resolves, handle: answerQuestions(ports, config) }],
    onError: complain,
  })()
  if (E.isLeft(serving)) throw new Error(`${serviceName} cannot serve ${subjects.resolves}: ${describeNatsFailure(serving.left)}`)
  const { stop } = serving.right
  ports.log.info('service.started')
  // Questions in hand take milliseconds and write nothing, so ending at once and draining are the same.
  return runningService({ name: serviceName, stop, abort: stop })
}

export const service: Service<Config> = { name: serviceName, configOf, start }

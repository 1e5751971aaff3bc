/** `syncline provision`: streams, buckets and consumers, made where they are missing; what differs is told, never changed. */
import type { Command } from 'commander'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { E } from '#libs/fp.ts'
import { neededVersion } from '#libs/embedded/find-nats-server.ts'
import { provision } from '#libs/nats/provision.ts'
import { assertServerVersion } from '#libs/nats/server-version.ts'
import { action } from '../call.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { refusalOf } from '../refusal.ts'

export const registerProvision = (program: Command, io: Io): void => {
  program
    .command('provision')
    .description('make the streams, buckets and consumers that are missing, and tell what differs')
    .option('--replicas <n>', 'copies of each stream: 1 on a single server, 3 on a cluster', wholeNumber(1, 5), 1)
    .option('--strict', 'exit 1 when something differs from what this version wants')
    .addHelpText('after', '\nNothing is ever changed or taken away; what differs is told, because who changed it may have meant it.\n\nExample:\n  $ syncline provision --replicas 3')
    .action(action<{ replicas: number; strict?: boolean }>(io, (call) => onBus(call, async (bus) => {
      const version = assertServerVersion(bus, neededVersion)
      if (E.isLeft(version)) return call.refuse(refusalOf('cannot provision')(version.left))
      const done = await provision(bus)({ streams: streamDefs, buckets: bucketDefs, consumers: consumerDefs }, { replicas: call.options.replicas })()
      if (E.isLeft(done)) return call.refuse(refusalOf('cannot provision')(done.left))
      const { created, drift } = done.right
      for (const what of created) call.say(`created ${what}`)
      for (const { what, field, found, wanted } of drift) call.say(`differs: ${what}: ${field} is ${JSON.stringify(found)}, wanted is ${JSON.stringify(wanted)}`)
      const all = streamDefs.length + bucketDefs.length + consumerDefs.length
      call.say(drift.length > 0 ? `${drift.length} differences; change them with the nats CLI, or leave them if they were meant` : created.length === 0 ? `all ${all} were there already (nats-server ${version.right})` : `${created.length} created, ${all - created.length} were there already`)
      call.json({ created, drift, server: version.right })
      return drift.length > 0 && call.options.strict === true ? exitCodes.failed : exitCodes.ok
    })))
}

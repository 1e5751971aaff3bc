/** Knows how `syncline up` is written on the command line. Does not know how anything is started: cli/up does. */
import type { Command } from 'commander'
import { E } from '#libs/fp.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { action } from '../call.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { refusal } from '../refusal.ts'
import { findTarget } from '../target.ts'
import { defaultSyncInterval, upOptions, type UpFlags } from '../up/options.ts'

export const registerUp = (program: Command, io: Io): void => {
  program
    .command('up')
    .summary('run everything in one process: NATS, the four services, your connections')
    .description('Starts a NATS server of its own and the four services in one process, for a laptop or a single machine.\nEverything is kept in one folder; started again, it goes on from there.')
    .option('--dir <folder>', 'where everything is kept', '.syncline')
    .option('--port <port>', 'port of the NATS server, or auto for a free one (default: 4222)')
    .option('--http-port <port>', 'port of the HTTP API, or auto (default: TRACKER_HTTP_PORT, else 4280)')
    .option('--config <file>', 'apply this configuration once everything is up, as `syncline apply -f` does')
    .option('--no-embedded', 'use the NATS of --server or NATS_URL instead of an own server')
    .option('--quickstart', 'three connections on example data: contacts, a calendar, meter readings into PostgreSQL')
    .option('--sync-interval <time>', 'when the own NATS server flushes to disk: always, or each 10s, which is faster and loses that much at a power cut', defaultSyncInterval)
    .option('--verbose', 'show what the services log')
    .addHelpText('after', `
Examples:
  $ syncline up                                  everything in ./.syncline, NATS on 4222, HTTP on 4280
  $ syncline up --config syncline.yaml           the same, with these connections
  $ syncline up --quickstart                     see it work on example data (npm start)
  $ syncline up --dir /srv/sync --port auto      another folder, any free port
  $ NATS_URL=nats://n1:4222 syncline up --no-embedded

In a pipe it writes its logs as JSON lines (see SYNCLINE_LOG_FORMAT and SYNCLINE_LOG_LEVEL). Traces and metrics go where
the OTEL_* variables say. Ctrl-C finishes what runs and ends; a second Ctrl-C ends at once.`)
    .action(action<UpFlags>(io, async (call) => {
      const options = upOptions(call.options, io.env, io.cwd, io.isTty)
      if (E.isLeft(options)) return call.refuse(refusal(exitCodes.usage, options.left.join('\n  ')))
      const target = call.options.embedded ? undefined : findTarget(io, call.options)
      if (target !== undefined && E.isLeft(target)) return call.refuse(target.left)
      // Loaded only now: no other command needs the services and their connectors
      const { runUp } = await import('../up/run-up.ts')
      return runUp({ options: options.right, call, version: packageJson.version, givenNats: target?.right.nats })
    }))
}

/** `syncline audit`: what people had done by resets, undos, holds, deletions and with dead letters: who, when and why. */
import type { Command } from 'commander'
import { AuditRecord } from '#libs/contracts/audit.ts'
import { decode } from '#libs/contracts/decode.ts'
import { streams, subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import { action } from '../call.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { onBus } from '../on-bus.ts'
import { wholeNumber } from '../option-values.ts'
import { agoText, painter, table } from '../render.ts'
import { newest } from '../stored.ts'

type Options = { readonly limit: number }

export const registerAudit = (program: Command, io: Io): void => {
  program
    .command('audit')
    .description('what people had done: resets, undos, holds, deletions, dead letters; newest first, kept for a year')
    .argument('[connection]', 'only of this one; it may be gone by now')
    .option('--limit <n>', 'most records to show', wholeNumber(1, 10_000), 20)
    .addHelpText('after', '\nExamples:\n  $ syncline audit\n  $ syncline audit contacts --json')
    .action(action<Options, readonly [conn?: string]>(io, (call) => onBus(call, async (bus) => {
      const [conn] = call.args
      // A name with a dot or a wildcard is no connection's, and would ask for others
      const isName = conn === undefined || /^[A-Za-z0-9_-]{1,64}$/.test(conn)
      const found = isName ? await newest(bus, streams.audit, conn === undefined ? subjects.audits : subjects.audit(conn), call.options.limit) : E.right([])
      if (E.isLeft(found)) return call.refuse(found.left)
      const records = found.right.flatMap(({ seq, body }) => {
        const record = decode(AuditRecord, body)
        return E.isRight(record) ? [{ seq, record: record.right }] : []
      })
      call.json({ audit: records.map(({ seq, record }) => ({ number: seq, ...record })) })
      const [now, paint] = [call.clock.now(), painter(call.io)]
      const rows = records.map(({ record: { at, conn: of, act, by, what, reason } }) => [agoText(at, now), of, act, by ?? '', reason === undefined ? what : `${what} (${reason})`])
      if (rows.length === 0) call.say(conn === undefined ? 'nothing yet' : `nothing of ${conn}`)
      else for (const line of table(['WHEN', 'CONNECTION', 'ACT', 'BY', 'WHAT'], rows, paint)) call.say(line)
      return exitCodes.ok
    })))
}

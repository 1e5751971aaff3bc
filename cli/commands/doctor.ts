/** `syncline doctor`: looks at everything around Syncline, and says what to do about what is wrong. */
import type { Command } from 'commander'
import { E } from '#libs/fp.ts'
import { action, type Call } from '../call.ts'
import { examineClock, examineDead, examineHttp, examineNode, examineProvisioning, examineServer, examineServices, replicasOf, type Finding } from '../examine.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { connectTo } from '../on-bus.ts'
import { painter, stateColour, table } from '../render.ts'
import { findTarget, type Target } from '../target.ts'

const usualHttpUrl = 'http://127.0.0.1:4280'

export const registerDoctor = (program: Command, io: Io): void => {
  program
    .command('doctor')
    .description('look at Node, NATS, JetStream, the services and the clock, and say what to do')
    .addHelpText('after', '\nChanges nothing. Exit 1 when a check fails; a warning alone is exit 0.\n\nExample:\n  $ syncline doctor')
    .action(action(io, doctor))
}

const doctor = async (call: Call): Promise<ExitCode> => {
  const target = findTarget(call.io, call.options)
  if (E.isLeft(target)) return call.refuse(target.left)
  const findings = [examineNode(process.versions.node), ...(await around(call, target.right))]
  const paint = painter(call.io)
  const rows = findings.map(({ check, result, found, mend }) => [paint(stateColour(result), result), check, found + (mend === undefined ? '' : `; ${mend}`)])
  for (const line of table(['', 'CHECK', 'FOUND'], rows, paint)) call.say(line)
  const count = (result: Finding['result']): number => findings.filter((one) => one.result === result).length
  call.say(count('fail') + count('warn') === 0 ? 'all is well' : `${count('fail')} failed, ${count('warn')} warnings`)
  call.json({ ok: count('fail') === 0, findings })
  return count('fail') === 0 ? exitCodes.ok : exitCodes.failed
}

const around = async ({ clock }: Call, target: Target): Promise<ReadonlyArray<Finding>> => {
  const stale: ReadonlyArray<Finding> = target.stale === undefined ? [] : [{ check: 'run file', result: 'warn', found: `${target.stale} names a process that is gone`, mend: 'the next `npm start` takes its place' }]
  const connected = await connectTo(target)
  if (E.isLeft(connected)) {
    const { message, mend } = connected.left
    return [...stale, { check: 'NATS', result: 'fail', found: message, ...(mend === undefined ? {} : { mend }) }]
  }
  const bus = connected.right
  try {
    const where: Finding = { check: 'NATS', result: 'ok', found: `${target.nats.servers.join(', ').replace(/\/\/[^@/,]*@/g, '//')} (${target.from})` }
    const [server, provisioning] = [await examineServer(bus), await examineProvisioning(bus, await replicasOf(bus))]
    const isProvisioned = provisioning.every(({ result }) => result !== 'fail')
    const beyond = isProvisioned ? await Promise.all([examineServices(bus), examineClock(bus, clock.now), examineDead(bus), examineHttp(target.httpUrl ?? usualHttpUrl, target.httpUrl !== undefined)]) : []
    return [...stale, where, ...server, ...provisioning, ...beyond.flat()]
  } finally {
    await bus.close()
  }
}

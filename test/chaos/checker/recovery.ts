/**
 * I11: after the faults end the sides converge; and the connections of a worker that died are played again within the lease
 * time + 5 s. Deaths during which NATS or another worker was in trouble are not judged: then that is what they wait for.
 */
import type { LeaseHeld, Lived } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import type { Story } from './story.ts'

/** SYNC.md §H.2. */
const afterLeaseMs = 5_000

const judge = (story: Story): Found => {
  const violations: Array<Violation> = []
  let checked = 0
  const phases = story.all('phase')
  const healed = phases.find(({ phase }) => phase === 'heal')
  if (healed !== undefined && phases.some(({ phase }) => phase === 'end')) {
    checked++
    if (!phases.some(({ phase }) => phase === 'converged')) violations.push({ message: 'the sides did not converge after all faults had ended', trace: [healed, ...phases.slice(-1)] })
  }
  const ttlMs = story.begin?.leaseTtlMs
  if (ttlMs === undefined) return { checked, violations }
  const leases = story.all('lease')
  for (const death of story.all('process').filter(({ edge, process }) => edge !== 'started' && story.begin?.workers.includes(process))) {
    for (const held of leases.filter((lease) => wasPlaying(story, lease, death))) {
      const deadline = death.at + ttlMs + afterLeaseMs
      if (deadline > story.endAt || isBusy(story, death, deadline)) continue
      checked++
      const next = leases.filter(({ conn, fence }) => conn === held.conn && fence > held.fence).sort((x, y) => x.fence - y.fence)[0]
      if (next !== undefined && story.wall(next.fromStoredAt) <= deadline) continue
      violations.push({ message: `${held.conn} was not played again within ${ttlMs + afterLeaseMs} ms of the death of ${death.process}`, trace: [held, death, ...(next === undefined ? [] : [next])] })
    }
  }
  return { checked, violations }
}

const wasPlaying = (story: Story, { owner, fromStoredAt, toStoredAt, endedBy }: LeaseHeld, { process, at }: Lived): boolean =>
  owner === process && story.wall(fromStoredAt) < at && (toStoredAt === null || (story.wall(toStoredAt) > at && endedBy !== 'release'))

/** Something else than this death went on meanwhile. */
const isBusy = (story: Story, { at, process }: Lived, until: number): boolean => {
  const others = story.all('process').some((one) => one.edge !== 'started' && one.process !== process && one.at > at - afterLeaseMs && one.at < until)
  return others || story.all('nemesis').some(({ id, edge, at: from, target, what }) =>
    edge === 'begin' && hinders.test(what) && !(target === process && what.includes('kill')) && from < until && endOf(story, id) > at)
}

/** What keeps a worker from taking a lease; a side that is away is met only afterwards. */
const hinders = /nats|worker|puback|clock/

const endOf = (story: Story, id: number): number => story.all('nemesis').find((one) => one.id === id && one.edge === 'end')?.at ?? Infinity

export const recovery: Invariant = { name: 'I11', says: 'it comes back in time', judge }

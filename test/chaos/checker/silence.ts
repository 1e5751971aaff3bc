/** I4: once everything is in step, further runs write nothing. Checked for every connection that ran in the silent rounds. */
import type { Found, Invariant, Violation } from './invariant.ts'
import { isSeenThere, isWrite, type Story } from './story.ts'

const judge = (story: Story): Found => {
  const { silentFrom } = story
  if (silentFrom === undefined) return { checked: 0, violations: [] }
  const ran = new Set(story.all('result').filter(({ storedAt, outcome }) => story.wall(storedAt) >= silentFrom && outcome === 'succeeded').map(({ conn }) => conn))
  const late = story.all('remote').filter((remote) => remote.at >= silentFrom && isWrite(remote) && isSeenThere(remote))
  const violations = late.map((remote): Violation => ({ message: `${remote.verb} of ${remote.key ?? remote.remoteId} of ${remote.conn} at side ${remote.side}, although nothing had changed any more`, trace: [remote] }))
  return { checked: ran.size, violations }
}

export const silence: Invariant = { name: 'I4', says: 'two quiet runs write nothing', judge }

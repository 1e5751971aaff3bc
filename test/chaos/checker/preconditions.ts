/**
 * I7: every write of the engine to a side that can check versions names the version it expects; a create that nothing is there.
 * `*` is no version: it says "whatever is there". Writes seen only where they were done (audit, folder) do not show theirs.
 */
import type { Found, Invariant, Violation } from './invariant.ts'
import { isWrite, type Story } from './story.ts'

const judge = (story: Story): Found => {
  const seen = story.all('remote').filter((remote) => isWrite(remote) && remote.precondition !== undefined && story.connection(remote.conn)?.[remote.side].strong === true)
  const violations = seen
    .filter(({ verb, precondition }) => precondition === null || (verb !== 'CREATE' && precondition === '*'))
    .map((remote): Violation => ({ message: `${remote.verb} of ${remote.key ?? remote.remoteId} of ${remote.conn} at side ${remote.side} without a precondition`, trace: [remote] }))
  return { checked: seen.length, violations }
}

export const preconditions: Invariant = { name: 'I7', says: 'no write overwrites unconditionally', judge }

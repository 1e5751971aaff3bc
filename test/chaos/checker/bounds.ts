/**
 * I10: nothing grows without bound. Attempts stay within what is delivered, nobody asks inside the silence a provider asked
 * for, processes keep their memory.
 */
import { defaultMaxAttempts } from '#libs/domain/connection.ts'
import type { Remote } from '../history.ts'
import type { Found, Invariant, Violation } from './invariant.ts'
import type { Story } from './story.ts'

/** What is under way when the silence is asked for, what had given up before it heard of it, and until all workers have. */
const graceMs = 3_000
/** A worker of SYNC.md §G holds 250 MB under the largest load; this is twice that. */
const mostRssBytes = 512 * 1_024 * 1_024

const judge = (story: Story): Found => {
  const violations: Array<Violation> = []
  const silences = story.all('remote').filter(({ retryAfterMs }) => retryAfterMs !== undefined && retryAfterMs > graceMs)
  for (const silence of silences) {
    const early = story.all('remote').find((remote) => isInside(remote, silence) && !story.disturbed(silence.at, remote.at, /stop|pause|partition|nats/i))
    if (early !== undefined) violations.push({ message: `${early.verb} at ${early.conn} side ${early.side} ${Math.round(early.at - silence.at)} ms after the provider had asked for ${silence.retryAfterMs} ms of silence`, trace: [silence, early] })
  }
  const results = story.all('result')
  for (const result of results) {
    const attempt = attemptOf(result.raw)
    if (attempt > defaultMaxAttempts) violations.push({ message: `${result.conn} was tried ${attempt} times`, trace: [result] })
  }
  const memory = story.all('memory')
  for (const [process, seen] of Map.groupBy(memory, ({ process: name }) => name)) {
    const most = seen.reduce((x, y) => (y.rssBytes > x.rssBytes ? y : x))
    if (most.rssBytes > mostRssBytes) violations.push({ message: `${process} took ${Math.round(most.rssBytes / 1_048_576)} MiB`, trace: [most] })
  }
  return { checked: silences.length + results.length + memory.length, violations }
}

const isInside = (remote: Remote, { conn, side, at, retryAfterMs = 0 }: Remote): boolean =>
  remote.by === 'provider' && remote.conn === conn && remote.side === side && remote.at > at + graceMs && remote.at < at + retryAfterMs

const attemptOf = (raw: unknown): number => (typeof raw === 'object' && raw !== null && 'attempt' in raw && typeof raw.attempt === 'number' ? raw.attempt : 0)

export const bounds: Invariant = { name: 'I10', says: 'attempts, requests and memory are bounded', judge }

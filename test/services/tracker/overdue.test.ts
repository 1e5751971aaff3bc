import { describe, expect, it } from 'vitest'
import { overdue } from '../../../services/tracker/overdue.ts'
import type { Candidate, Look } from '../../../services/tracker/overdue.ts'

const now = 1_000_000
const patience = { ackWaitMs: 32_000, silentMs: 900_000 }
const old = (seq: number, ageMs = 60_000): Candidate => ({ seq, storedAt: now - ageMs })
const lane = (change: Partial<Look['lane']>) => ({ stored: 0, pending: 0, inHand: 0, waitingPulls: 1, ...change })

describe('which delivered messages nobody will be given again', () => {
  const cases: ReadonlyArray<readonly [string, Look, ReadonlyArray<number>, number]> = [
    ['all accounted for: none', { oldest: [old(1), old(2)], lane: lane({ stored: 2, inHand: 1, pending: 1 }), isStill: true }, [], 0],
    ['the numbers name every old one: all of them', { oldest: [old(1), old(2)], lane: lane({ stored: 2 }), isStill: true }, [1, 2], 0],
    ['a young one cannot be given up yet: the old one it is', { oldest: [old(1), old(2, 5_000)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [1], 0],
    ['one with progress is alive: the other one it is', { oldest: [{ ...old(1), aliveUntil: now - 1_000 }, old(2)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [2], 0],
    ['one whose next attempt is due later is alive', { oldest: [{ ...old(1), aliveUntil: now + 60_000 }, old(2)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [2], 0],
    ['the undelivered are the last: they are not suspects', { oldest: [old(1), old(2)], lane: lane({ stored: 2, pending: 1 }), isStill: true }, [1], 0],
    ['two suspects, one victim: not sure', { oldest: [old(1), old(2)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [], 1],
    ['two suspects, one silent for long beside a waiting worker: that one', { oldest: [old(1, 1_000_000), old(2)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [1], 0],
    ['silent for long, but no worker waits: not sure', { oldest: [old(1, 1_000_000), old(2)], lane: lane({ stored: 2, inHand: 1, waitingPulls: 0 }), isStill: true }, [], 1],
    ['numbers on the move prove nothing about a young silence', { oldest: [old(1)], lane: lane({ stored: 1 }), isStill: false }, [], 1],
    ['but long silence still does', { oldest: [old(1, 1_000_000)], lane: lane({ stored: 1 }), isStill: false }, [1], 0],
    ['never more than are missing', { oldest: [old(1, 1_000_000), old(2, 1_000_000)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [1], 0],
    ['only a first part was looked at: not sure', { oldest: [old(1)], lane: lane({ stored: 2, inHand: 1 }), isStill: true }, [], 1],
  ]
  it.each(cases)('%s', (_, look, certain, unsure) => {
    expect(overdue(look, now, patience)).toEqual({ certain, unsure })
  })
})

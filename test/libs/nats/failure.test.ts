import { describe, expect, it } from 'vitest'
import { describeNatsFailure, failureOfServerError, natsFailureOf } from '#libs/nats/failure.ts'
import type { NatsFailure } from '#libs/nats/failure.ts'
import { toMsgHdrs } from '#libs/nats/headers.ts'
import { parseAckSubject } from '#libs/nats/delivery.ts'
import { ackPayload } from '#libs/nats/verdict-to-ack.ts'

describe('what the server calls an error', () => {
  it.each<[number, string, NatsFailure]>([
    [10071, 'wrong last sequence: 12', { is: 'wrong-sequence', lastSequence: 12 }],
    [10164, 'wrong last sequence', { is: 'write-in-flight' }],
    [10077, 'maximum messages per subject exceeded', { is: 'subject-full' }],
    [10176, 'atomic publish batch is incomplete', { is: 'batch-incomplete', at: 'commit' }],
    [10059, 'stream not found', { is: 'not-found', what: 'stream not found' }],
    [10008, 'JetStream system temporarily unavailable', { is: 'no-responders' }],
  ])('%i %s', (err_code, description, failure) => {
    expect(failureOfServerError({ err_code, description })).toEqual(failure)
  })

  it('a store that is full is not a subject that is full', () => {
    expect(failureOfServerError({ err_code: 10077, description: 'maximum bytes exceeded' }).is).toBe('other')
  })

  it('keeps the cause of what it does not know', () => {
    const cause = new Error('surprise')
    expect(natsFailureOf(cause)).toEqual({ is: 'other', message: 'surprise', cause })
    expect(natsFailureOf('text').is).toBe('other')
  })

  it('can be read by a person', () => {
    expect(describeNatsFailure({ is: 'timeout', subject: 'a.b' })).toBe('no answer in time on a.b; the outcome is unknown')
    expect(describeNatsFailure({ is: 'old-server', found: '2.9.10', needed: '2.12.0' })).toBe(
      'nats-server 2.9.10 is too old; 2.12.0 or later is needed',
    )
  })
})

describe('an acknowledgement', () => {
  it('never asks for a message again without a delay', () => {
    expect(ackPayload({ is: 'again', delayMs: 0 })).toBe('-NAK {"delay":1000000}')
    expect(ackPayload({ is: 'again', delayMs: -5 })).toBe('-NAK {"delay":1000000}')
    expect(ackPayload({ is: 'again', delayMs: 1_500 })).toBe('-NAK {"delay":1500000000}')
  })

  it('is read from the subject of old and of new servers', () => {
    const info = { stream: 'S', consumer: 'C', deliveryCount: 2, seq: 30, consumerSeq: 40, storedAt: 1_795_265_243_358, pending: 7 }
    expect(parseAckSubject('$JS.ACK.S.C.2.30.40.1795265243358040316.7')).toEqual(info)
    expect(parseAckSubject('$JS.ACK._.ACC.S.C.2.30.40.1795265243358040316.7.rnd')).toEqual(info)
  })
})

describe('a header', () => {
  it('with a name that is none is a bug', () => {
    expect(() => toMsgHdrs({ 'a b': '1' })).toThrow('is not a header name')
    expect(() => toMsgHdrs({ 'a:b': '1' })).toThrow('is not a header name')
  })
})

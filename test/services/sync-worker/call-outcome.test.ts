import { describe, expect, it } from 'vitest'
import { outcomeOf } from '../../../services/sync-worker/call-outcome.ts'

describe('what a failure says of the provider', () => {
  it.each([
    [{ is: 'unavailable', message: '', code: 'ECONNREFUSED' }, { is: 'failed' }],
    [{ is: 'unavailable', message: '', code: '40P01', providerWell: true }, { is: 'answered' }],
    [{ is: 'ambiguous', message: '', providerWell: true }, { is: 'answered' }],
    [{ is: 'needs-person', message: '', code: '53100', providerWell: false }, { is: 'failed' }],
    [{ is: 'needs-person', message: '' }, { is: 'answered' }],
    [{ is: 'unavailable', message: '', code: 'ENOTFOUND' }, { is: 'failed', name: 'lost' }],
    [{ is: 'unavailable', message: '', code: 'EAI_AGAIN' }, { is: 'failed', name: 'unasked' }],
  ] as const)('%j', (failure, outcome) => expect(outcomeOf(failure)).toEqual(outcome))
})

import { describe, expect, it } from 'vitest'
import { providerKey } from '#libs/contracts/provider-state.ts'
import { systemRandom } from '#libs/random.ts'
import type { CallOutcome } from '../../../services/sync-worker/call-outcome.ts'
import { providerGate, type Account, type Gate } from '../../../services/sync-worker/provider-gate.ts'
import { memoryProviders } from '../../support/memory-providers.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const fitbit: Account = { provider: 'fitbit', account: 'user-1' }

const rig = () => {
  const store = memoryProviders()
  const clock = virtualClock()
  return { store, clock, gate: providerGate({ store, clock, random: systemRandom, worker: 'w' }) }
}

describe('an account whose host name is lost', () => {
  const lost: CallOutcome = { is: 'failed', name: 'lost' }
  const reported = async (gate: Gate, outcome: CallOutcome) => {
    const admission = await gate.admit(fitbit)
    return admission.is === 'go' ? gate.report(admission.pass, outcome) : admission.failure
  }

  it('is put off for an hour, then a person is asked, of whatever connection', async () => {
    const { gate, clock } = rig()
    for (let i = 0; i < 5; i++) expect(await reported(gate, lost)).toBeUndefined()
    expect(await reported(gate, lost)).toMatchObject({ is: 'later', code: 'breaker-open' })
    await clock.pass(3_600_001)
    expect(await reported(gate, lost)).toMatchObject({ is: 'needs-person', code: 'ENOTFOUND' })
    expect(await reported(gate, lost)).toMatchObject({ is: 'needs-person' })
  })

  it('a name server that cannot be asked neither begins nor ends that', async () => {
    const { gate, clock, store } = rig()
    await reported(gate, { is: 'failed', name: 'unasked' })
    expect(store.states.get(providerKey('fitbit', 'user-1'))?.state?.namelessSince).toBeUndefined()
    await reported(gate, lost)
    await reported(gate, { is: 'failed', name: 'unasked' })
    await clock.pass(3_600_001)
    expect(await reported(gate, lost)).toMatchObject({ is: 'needs-person' })
  })

  it('is forgotten once an address was found, even if nobody answers there, and leaves no entry once all is well', async () => {
    const { gate, clock, store } = rig()
    await reported(gate, lost)
    await clock.pass(3_600_001)
    expect(await reported(gate, { is: 'failed' })).toBeUndefined()
    expect(await reported(gate, lost)).toBeUndefined()
    await reported(gate, { is: 'answered' })
    expect(store.states.get(providerKey('fitbit', 'user-1'))?.state).toBeNull()
  })
})

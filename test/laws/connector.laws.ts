/**
 * Knows the laws of libs/connectors/connector.ts; every connector's test calls `connectorLaws` with a rig.
 * A law whose capability the side does not declare is skipped, visibly.
 */
import { describe } from 'vitest'
import { deltaLaws } from './delta.laws.ts'
import { ledgerLaws } from './ledger.laws.ts'
import type { LawRig } from './law-rig.ts'
import { readingLaws } from './reading.laws.ts'
import { writingLaws } from './writing.laws.ts'

export type { LawItem, LawRig } from './law-rig.ts'

/** `make` gives a fresh, empty collection each time; `dispose` of the rig is called after every law. */
export const connectorLaws = (name: string, make: () => Promise<LawRig>): void => {
  describe(`the laws of a connector hold for ${name}`, () => {
    readingLaws(make)
    deltaLaws(make)
    writingLaws(make)
    ledgerLaws(make)
  })
}

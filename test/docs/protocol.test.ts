import { describe, expect, it } from 'vitest'
import { bucketDefs, consumerDefs } from '#libs/contracts/streams.ts'
import { findContracts } from '../../docs/tools/contracts.ts'
import { bucketNotes, consumerNotes, guides } from '../../docs/tools/message-guide.ts'
import { pagePath, protocolPage } from '../../docs/tools/protocol.ts'

describe('the guide to the messages', () => {
  it('speaks of every contract, and of no other', async () => {
    expect(Object.keys(guides).toSorted()).toEqual((await findContracts()).map(({ contract }) => contract.schema).toSorted())
  })

  it('speaks of every consumer and every bucket', () => {
    expect(Object.keys(consumerNotes).toSorted()).toEqual(consumerDefs.map(({ durable }) => durable).toSorted())
    expect(Object.keys(bucketNotes).toSorted()).toEqual(bucketDefs.map(({ name }) => name).toSorted())
  })
})

describe('docs/protocol.md', () => {
  // After a change of libs/contracts: node docs/tools/protocol.ts
  it('is what libs/contracts says', async () => {
    await expect(await protocolPage()).toMatchFileSnapshot(pagePath)
  })
})

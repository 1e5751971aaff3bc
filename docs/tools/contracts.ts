/** Knows every contract of the wire, found by looking into libs/contracts: none can be forgotten. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as t from 'io-ts'
import type { Contract } from '#libs/contracts/decode.ts'

export const contractsFolder = join(import.meta.dirname, '../../libs/contracts')

export type Found = {
  /** File below libs/contracts, name of the export in it. */
  readonly file: string
  readonly name: string
  readonly contract: Contract<unknown> & { readonly codec: t.Mixed }
}

/** In the order of the files' names, then as they are exported. */
export const findContracts = async (): Promise<ReadonlyArray<Found>> => {
  const found: Array<Found> = []
  for (const file of readdirSync(contractsFolder).sort()) {
    const exported = (await import(pathToFileURL(join(contractsFolder, file)).href)) as Readonly<Record<string, unknown>>
    for (const [name, value] of Object.entries(exported)) if (isContract(value)) found.push({ file, name, contract: value })
  }
  return found
}

const isContract = (value: unknown): value is Found['contract'] =>
  typeof value === 'object' && value !== null && 'schema' in value && 'codec' in value

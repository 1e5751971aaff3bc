/** Knows two providers for the tests of the configuration: the real `file`, and one of databases. */
import type { Connector } from '#libs/connectors/connector.ts'
import { fileConnector } from '#libs/connectors/file/file.ts'

const base: Connector = {
  ...fileConnector,
  provider: 'base',
  validate: ({ table }) => (typeof table === 'string' ? [] : [{ path: ['table'], message: 'is missing', mend: 'name a table' }]),
}

export const known: ReadonlyMap<string, Connector> = new Map([[fileConnector.provider, fileConnector], [base.provider, base]])

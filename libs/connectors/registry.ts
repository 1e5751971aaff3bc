/** Knows which connectors there are. The engine and the configuration check ask here; vendors do not know each other. */
import type { Connector } from './connector.ts'
import { fileConnector } from './file/file.ts'
import { postgresConnector } from './postgres/postgres.ts'

export const connectors: ReadonlyMap<string, Connector> = new Map([fileConnector, postgresConnector].map((connector) => [connector.provider, connector]))

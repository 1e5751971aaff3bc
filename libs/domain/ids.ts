/** Knows the identifiers of the domain: each brand stands with its codec. */
import * as t from 'io-ts'

const idText = /^[A-Za-z0-9_-]{1,64}$/
const ulidText = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/

type ConnectionIdBrand = { readonly ConnectionId: unique symbol }
type FlowIdBrand = { readonly FlowId: unique symbol }
type RunIdBrand = { readonly RunId: unique symbol }

/** 1 to 64 characters of `A-Z a-z 0-9 _ -`: safe as a subject token and as a KV key (NATS.md §15). */
export const ConnectionId = t.brand(t.string, (s): s is t.Branded<string, ConnectionIdBrand> => idText.test(s), 'ConnectionId')
export type ConnectionId = t.TypeOf<typeof ConnectionId>

/** Same alphabet as a connection id; unique inside its connection. */
export const FlowId = t.brand(t.string, (s): s is t.Branded<string, FlowIdBrand> => idText.test(s), 'FlowId')
export type FlowId = t.TypeOf<typeof FlowId>

/** A ULID; belongs to the work item, so it is the same on every redelivery (SYNC.md §A.5). */
export const RunId = t.brand(t.string, (s): s is t.Branded<string, RunIdBrand> => ulidText.test(s), 'RunId')
export type RunId = t.TypeOf<typeof RunId>

/**
 * KV `sync_provenance`, key `<place>.<item>` (digests): where a copy came from. Only for flows whose items could come to one
 * place by two ways, or too far. Written by sync-workers, each write conditional on the key's revision.
 */
import { Provenance } from '../domain/provenance.ts'
import { contract } from './decode.ts'

export const ProvenanceEntry = contract('provenance.1', Provenance)

/**
 * Knows what has to be read although nobody said it is news: the ids that share an identity, the other side of what is
 * parked, held or marked, and what a listing left out (SYNC.md §A.2). Ends with the completed sighting.
 */
import type { Side } from '#libs/connectors/connector.ts'
import type { SyncFailure } from '#libs/domain/failure.ts'
import type { Link } from '#libs/domain/link.ts'
import { E } from '#libs/fp.ts'
import { isUnsettled } from './aside.ts'
import { rememberedOf, type SideName } from './classify.ts'
import { isUnsure, type Links, type Sighting } from './sighting.ts'
import { fetchAll } from './look.ts'
import type { FlowContext } from './run-context.ts'

/** Absences that are confirmed by asking for each: a side may leave things out of a listing (SYNC.md §A.2, class D). */
const confirmAtMost = 500

type Ask = { readonly context: FlowContext; readonly links: Links }

const idsOf = (link: Link, side: SideName): ReadonlyArray<string> => {
  const { id } = rememberedOf(link, side)
  const twins = (side === 'source' ? link.twinsA : link.twinsB) ?? []
  return id === undefined || twins.includes(id) ? twins : [id, ...twins]
}

const idsIn = ({ items, gone, bad }: Sighting): Set<string> => new Set([...items, ...gone, ...bad].map(({ remoteId }) => remoteId))

/** Links that this side's sighting says something about, by id or by identity. */
export const mentionedIn = ({ links }: Ask, side: SideName, sighting: Sighting): ReadonlySet<Link> => {
  const ids = idsIn(sighting)
  const keys = new Set(sighting.items.map(({ key }) => key.normalize('NFC')))
  const mentioned = new Set<Link>()
  const isListing = sighting.coverage === 'listing'
  if (ids.size === 0 && !isListing) return mentioned
  for (const link of links.values()) {
    const { id } = rememberedOf(link, side)
    // What a listing leaves out is news as well.
    if (isListing && id !== undefined && !sighting.same.has(id)) mentioned.add(link)
    else if (keys.has(link.key.normalize('NFC')) || idsOf(link, side).some((other) => ids.has(other))) mentioned.add(link)
  }
  return mentioned
}

/** Remembered ids that a listing did not show, when they are few enough to be asked for. */
export const absentOf = (links: Links, side: SideName, { items, same, bad }: Sighting, news: ReadonlyArray<string>): ReadonlyArray<string> => {
  const shown = new Set([...items, ...bad].map(({ remoteId }) => remoteId))
  for (const id of news) shown.add(id)
  const absent: Array<string> = []
  for (const link of links.values()) {
    const { id } = rememberedOf(link, side)
    if (id !== undefined && !shown.has(id) && !same.has(id)) absent.push(id)
    if (absent.length > confirmAtMost) return []
  }
  return absent
}

export const secondLook = async ({ context }: Ask, side: Side, name: SideName, sighting: Sighting, mentioned: ReadonlySet<Link>): Promise<E.Either<SyncFailure, Sighting>> => {
  // A listing shows everything anyway, and what is set aside is read from it.
  if (sighting.coverage === 'listing') return E.right(sighting)
  const known = idsIn(sighting)
  const holders = new Map(sighting.items.map((item) => [item.key.normalize('NFC'), item.remoteId]))
  const ask = new Set<string>()
  const unsure = new Set<string>()
  for (const link of mentioned) {
    // Shown under another id than the one we know: moved (T33), or a second item with the same identity (T14).
    const holder = holders.get(link.key.normalize('NFC'))
    const displaced = holder !== undefined && holder !== rememberedOf(link, name).id
    if (!displaced && !isUnsettled(link)) continue
    for (const id of idsOf(link, name)) if (!known.has(id)) ask.add(id)
    if (isUnsure(link, name, sighting.unsureAfter)) for (const id of idsOf(link, name)) unsure.add(id)
  }
  if (ask.size === 0) return E.right(sighting)
  const fetched = await fetchAll(side, [...ask], context.signal)
  if (E.isLeft(fetched)) return fetched
  const { items, bad } = fetched.right
  const found = new Set([...items, ...bad].map(({ remoteId }) => remoteId))
  return E.right({
    ...sighting,
    items: [...sighting.items, ...items],
    gone: [...sighting.gone, ...[...ask].filter((id) => !found.has(id) && !unsure.has(id)).map((remoteId) => ({ remoteId }))],
    bad: [...sighting.bad, ...bad.map(({ remoteId, version, failure }) => ({ remoteId, version, why: failure.message }))],
  })
}

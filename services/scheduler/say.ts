/** EFFECT: tells the world about slots: a work item for each that runs, a skipped result for each that does not. */
import type { RunResult } from '#libs/contracts/result.ts'
import { messageIds } from '#libs/contracts/subjects.ts'
import { E, TE } from '#libs/fp.ts'
import { workOfSaying } from './admit.ts'
import type { Saying, Watched } from './due.ts'
import { mint } from './mint.ts'
import type { Ports, StoreFailure, World } from './ports.ts'

/** In flight at once: beyond this only the latency grows (NATS.md §14). */
const pipelined = 256

/** Says all of them side by side; answers those that could not be said, with the last reason. Every other one is stored. */
export const sayAll = (ports: Ports, world: World) => async (sayings: ReadonlyArray<Saying>): Promise<{ readonly unsaid: ReadonlyArray<Saying>; readonly why: string }> => {
  const unsaid: Array<Saying> = []
  let why = ''
  let taken = 0
  const sayNext = async (): Promise<void> => {
    for (let saying = sayings[taken++]; saying !== undefined; saying = sayings[taken++]) {
      const said = await say(ports, world, saying)
      if (E.isRight(said)) continue
      unsaid.push(saying)
      why = said.left.message
    }
  }
  await Promise.all(Array.from({ length: Math.min(pipelined, sayings.length) }, sayNext))
  return { unsaid, why }
}

type Said = Promise<E.Either<StoreFailure, void>>
type Tick = Exclude<Saying, { say: 'skip' }>
type Skip = Extract<Saying, { say: 'skip' }>

const say = (ports: Ports, world: World, saying: Saying): Said => {
  const { conn, lane } = saying.watched
  const attributes = { conn, lane, cause: saying.say === 'first' ? 'first' : 'tick', ...(saying.say === 'tick' ? { slot: saying.slot } : {}) }
  return world.tracer.span('sync.tick', { attributes }, async (span) => {
    const said = await (saying.say === 'skip' ? skip(ports, world, saying, span) : tick(ports, world, saying, span))
    if (E.isLeft(said)) span.fail(said.left.message)
    return said
  })
}

type Span = { readonly traceparent: string; readonly traceId: string; readonly set: (facts: { readonly outcome: string; readonly run?: string }) => void }

const tick = async (ports: Ports, world: World, saying: Tick, span: Span): Said => {
  const { item, msgId } = workOfSaying(saying, mint(world))
  const published = await ports.publishWork(item, msgId, span.traceparent)()
  if (E.isLeft(published)) return published
  const outcome = published.right === 'full' ? 'coalesced' : published.right === 'stored' ? 'queued' : 'duplicate'
  span.set({ outcome, run: item.run })
  world.metrics.count('syncline.slots', { outcome })
  if (published.right === 'stored') world.metrics.observe('syncline.slot.lateness', Math.max(0, world.clock.now() - saying.due) / 1_000)
  if (published.right !== 'full' || saying.say === 'first') return E.right(undefined)
  const reason = 'coalesced: the connection was queued or running already'
  world.log.warn('slot.coalesced', { conn: item.conn, lane: item.lane, slot: saying.slot, reason, traceId: span.traceId }) // R 1.15
  return ports.publishSkipped(skippedSlot(saying.watched, saying.slot, reason, world.clock.now(), span.traceId), span.traceparent)()
}

const skip = (ports: Ports, world: World, { watched, slots, why }: Skip, span: Span): Said => {
  const between = slots.from === slots.to ? '' : ` (slots from ${new Date(slots.from).toISOString()} to ${new Date(slots.to).toISOString()})`
  const reason = why === 'paused' ? `paused${between}` : `missed: could not be said when it was due; a later slot runs instead${between}`
  span.set({ outcome: why })
  const published = ports.publishSkipped(skippedSlot(watched, slots.to, reason, world.clock.now(), span.traceId), span.traceparent)
  return TE.map(() => world.metrics.count('syncline.slots', { outcome: 'skipped', reason: why }))(published)()
}

/** The slot's own id stands for the run that there was none of, so that two replicas record it once. */
const skippedSlot = ({ conn, lane }: Watched, slot: number, reason: string, now: number, traceId: string): RunResult => ({
  conn, run: messageIds.tick(conn, slot), outcome: 'skipped', cause: 'tick', startedAt: now, finishedAt: now, attempt: 0,
  quiet: true, fence: 0, flows: [], slot, lane, reason, traceId,
})

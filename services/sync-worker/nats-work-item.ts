/** Knows how to tell whether a work item is still wanted. Does not know what is done about it. */
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import type { Delivery } from '#libs/nats/delivery.ts'
import { getMessage } from '#libs/nats/stream-messages.ts'

/**
 * A second delivery can outlive its work item: it waited in the socket of a stopped process, or the first one's ack came
 * late. A settled item is gone from the work queue. One read, so only worth it for `deliveryCount` > 1; who cannot read is
 * told "no", and plays the item once more, which is only a waste.
 */
export const isOver = async (bus: Bus, { stream, seq }: Pick<Delivery, 'stream' | 'seq'>): Promise<boolean> => {
  const found = await getMessage(bus)(stream, { seq })()
  return E.isRight(found) && found.right === undefined
}

/**
 * A binary heap of ids by time. Changed in place: a copy of a hundred thousand entries per message would be absurd.
 * Does not know whether an entry still holds: who changes their mind pushes again and ignores the older one.
 */
export type Timed<Id> = { readonly at: number; readonly id: Id }

export type Heap<Id> = Array<Timed<Id>>

export const pushInto = <Id>(heap: Heap<Id>, timed: Timed<Id>): void => {
  let i = heap.length
  heap.push(timed)
  while (i > 0) {
    const parent = (i - 1) >> 1
    const above = heap[parent]
    if (above === undefined || above.at <= timed.at) break
    heap[i] = above
    i = parent
  }
  heap[i] = timed
}

/** Takes out the earliest. */
export const popFrom = <Id>(heap: Heap<Id>): Timed<Id> | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let i = 0
  for (let child = 1; child < heap.length; child = 2 * i + 1) {
    const left = heap[child]
    const right = heap[child + 1]
    const isRight = right !== undefined && left !== undefined && right.at < left.at
    const smaller = isRight ? right : left
    if (smaller === undefined || smaller.at >= last.at) break
    heap[i] = smaller
    i = isRight ? child + 1 : child
  }
  heap[i] = last
  return first
}

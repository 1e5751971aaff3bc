/** Knows how to do the tasks of one connection in order, together when several wait. Does not know what they are. */

export type PerConnection<Task, End> = {
  /** Resolves with how the turn ended that the task was part of; rejects with what it threw. */
  readonly submit: (conn: string, task: Task) => Promise<End>
  /** Connections with a turn under way. */
  readonly busy: () => number
}

type Waiting<Task, End> = Array<{ readonly task: Task; readonly ended: PromiseWithResolvers<End> }>

export const perConnection = <Task, End>(turn: (conn: string, tasks: ReadonlyArray<Task>) => Promise<End>): PerConnection<Task, End> => {
  const boxes = new Map<string, { waiting: Waiting<Task, End> }>()

  const work = async (conn: string, box: { waiting: Waiting<Task, End> }): Promise<void> => {
    while (box.waiting.length > 0) {
      const batch = box.waiting
      box.waiting = []
      try {
        const end = await turn(conn, batch.map(({ task }) => task))
        for (const { ended } of batch) ended.resolve(end)
      } catch (cause) {
        for (const { ended } of batch) ended.reject(cause)
      }
    }
    boxes.delete(conn)
  }

  return {
    submit: (conn, task) => {
      const ended = Promise.withResolvers<End>()
      const box = boxes.get(conn)
      if (box !== undefined) box.waiting.push({ task, ended })
      else {
        const fresh = { waiting: [{ task, ended }] }
        boxes.set(conn, fresh)
        void work(conn, fresh)
      }
      return ended.promise
    },
    busy: () => boxes.size,
  }
}

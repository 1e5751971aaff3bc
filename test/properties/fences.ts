/** I6: the fences of accepted state commits never go back, and no commit is accepted from a run that was overtaken. */
import { E } from '#libs/fp.ts'
import type { StateStore } from '../../services/sync-worker/ports.ts'
import { Violation } from './violation.ts'

export type FenceLog = { readonly watch: (state: StateStore) => StateStore; readonly judge: () => void; readonly forget: () => void }

export const fencesOf = (): FenceLog => {
  const accepted: Array<number> = []
  return {
    watch: (state) => ({
      ...state,
      writeCheckpoint: (conn, flow, checkpoint, revision) => async () => {
        const written = await state.writeCheckpoint(conn, flow, checkpoint, revision)()
        if (E.isRight(written)) accepted.push(checkpoint.fence)
        return written
      },
      writeBatch: (batch) => async () => {
        const written = await state.writeBatch(batch)()
        if (E.isRight(written)) accepted.push(batch.checkpoint.value.fence)
        return written
      },
    }),
    judge: () => {
      for (let i = 1; i < accepted.length; i++) {
        const [before, after] = [accepted[i - 1] ?? 0, accepted[i] ?? 0]
        if (after < before) throw new Violation(`I6: a commit with fence ${after} was accepted after one with ${before}`)
      }
      accepted.splice(0, accepted.length - 1)
    },
    forget: () => void accepted.splice(0),
  }
}

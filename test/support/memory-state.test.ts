/** The stand-in keeps the laws of the real store. */
import type { ConnectionId } from '#libs/domain/ids.ts'
import type { StateRig } from '../laws/state-law-rig.ts'
import { stateStoreLaws } from '../laws/state-store.laws.ts'
import { memoryState } from './memory-state.ts'

const state = memoryState()
let made = 0
const rig: StateRig = {
  state,
  fresh: () => `c${++made}` as ConnectionId,
  pass: async (ms) => state.advance(ms),
  remove: async (key) => state.remove(key),
}

stateStoreLaws(() => rig, { sideBySide: false })

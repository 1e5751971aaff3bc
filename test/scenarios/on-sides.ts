/** How a scenario on sides of any kind begins and ends. */
import { expect, onTestFinished } from 'vitest'
import { realRig, type Entry, type Pair, type RealRig } from '../support/real-sides.ts'

export const xyz = { x: { name: 'x' }, y: { name: 'y' }, z: { name: 'z' } }

export const on = (pair: Pair) => {
  const opened = async (connection?: Record<string, unknown>): Promise<RealRig> => {
    const rig = await realRig(pair, connection)
    onTestFinished(rig.stop)
    return rig
  }
  return {
    opened,
    inSync: async (keys: ReadonlyArray<string> = ['x', 'y', 'z'], connection?: Record<string, unknown>, flow: Record<string, unknown> = {}): Promise<RealRig> => {
      const rig = await opened(connection)
      rig.options.flow = flow
      for (const key of keys) await rig.a.put(key, { name: key })
      await rig.sync()
      return rig
    },
  }
}

export const both = async (rig: RealRig) => [await rig.a.shown(), await rig.b.shown()]

/** Both sides show this, and two more syncs write nothing. */
export const agree = async (rig: RealRig, items: Readonly<Record<string, Entry>>): Promise<void> => {
  expect(await both(rig)).toEqual([items, items])
  expect([await rig.writesNothing(), await rig.writesNothing()]).toEqual([true, true])
}

/** How many items of each side were written to meanwhile, those that came and went included. */
export const written = async (rig: RealRig, act: () => Promise<unknown>): Promise<{ readonly a: number; readonly b: number }> => {
  const before = [await rig.a.marks(), await rig.b.marks()] as const
  await act()
  return { a: changed(before[0], await rig.a.marks()), b: changed(before[1], await rig.b.marks()) }
}

const changed = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): number =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key]).length

export const nothing = { a: 0, b: 0 }

/**
 * Knows when two recordings are of the same activity (DESIGN §13): the same type, and the times overlap by a share of
 * the shorter. Recordings whose ids are linked already are the same without asking here.
 */

export type Recording = { readonly type: string; readonly startMs: number; readonly durationMs: number }

/** A watch started five minutes late on a half-hour run still counts; two runs of one day do not. */
export const defaultOverlap = 0.7

/** `overlap`: share of the shorter recording, in [0, 1]. A recording without length counts when it lies inside the other. */
export const isSameActivity = (a: Recording, b: Recording, overlap: number = defaultOverlap): boolean => {
  if (a.type !== b.type || a.durationMs < 0 || b.durationMs < 0) return false
  const together = Math.min(a.startMs + a.durationMs, b.startMs + b.durationMs) - Math.max(a.startMs, b.startMs)
  const shorter = Math.min(a.durationMs, b.durationMs)
  return together >= 0 && (shorter === 0 || (together > 0 && together >= overlap * shorter))
}

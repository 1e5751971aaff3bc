/** Knows how the quickstart's readings file grows while it runs, and where it goes on after a restart. */
import { appendFile, open } from 'node:fs/promises'
import type { RunningService } from '#libs/actor/lifecycle.ts'
import { runningService } from '#libs/actor/lifecycle.ts'
import { every } from '#libs/actor/every.ts'
import { done } from '#libs/actor/verdict.ts'
import type { Clock } from '#libs/clock.ts'
import { E } from '#libs/fp.ts'
import type { Log } from '#libs/telemetry/log.ts'
import { meterReading } from './meter-readings.ts'

/** One reading of each of the four meters: about 350 000 rows, 27 MB, in a day. */
const rowsPerTurn = 4
const everyMs = 1_000
/** Longer than any line of ours. */
const tailBytes = 4_096

/** Rejects when the file cannot be read. */
export const startMeterWriter = async (path: string, clock: Clock, log: Log): Promise<RunningService> => {
  let { next, glue } = await endOf(path)
  const turn = async () => {
    const lines = Array.from({ length: rowsPerTurn }, (_, i) => `${meterReading(next + i)}\n`)
    // One write: a reader never sees half a line of ours
    await appendFile(path, glue + lines.join(''))
    next += rowsPerTurn
    glue = ''
    return done
  }
  const writing = every({ name: 'quickstart.meters', delayMs: () => everyMs, turn, clock, log })
  return runningService({ name: 'meter readings', stop: writing.stop, abort: writing.stop })
}

/** `glue`: what the last line still lacks, when a person or a crash left it open. */
const endOf = async (path: string): Promise<{ readonly next: number; readonly glue: string }> => {
  const file = await open(path, 'a+')
  try {
    const { size } = await file.stat()
    const from = Math.max(0, size - tailBytes)
    const bytes = Buffer.alloc(size - from)
    await file.read(bytes, 0, bytes.length, from)
    const text = bytes.toString('utf8')
    const last = text.split('\n').map(idIn).findLast((id) => id !== undefined) ?? 0
    return { next: last + 1, glue: text === '' || text.endsWith('\n') ? '' : '\n' }
  } finally {
    await file.close()
  }
}

const idIn = (line: string): number | undefined => {
  const parsed = E.tryCatch(() => JSON.parse(line) as { readonly id?: unknown } | null, () => null)
  return E.isRight(parsed) && typeof parsed.right?.id === 'number' ? parsed.right.id : undefined
}

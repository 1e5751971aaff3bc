/** Knows a terminal with one living line at the bottom; in a pipe that line comes only now and then. */
import type { Io } from '../io.ts'
import { cut } from '../render.ts'

export type Screen = {
  /** Adds lines above the living one. */
  readonly say: (...lines: ReadonlyArray<string>) => void
  /** Draws the living line anew; '' takes it away. */
  readonly live: (line: string) => void
  readonly isTty: boolean
}

const clearLine = '\r\u001b[2K'

/** `dress` colours the living line; it must not change its width. */
export const makeScreen = ({ stdout, isTty, columns }: Pick<Io, 'stdout' | 'isTty' | 'columns'>, dress: (line: string) => string): Screen => {
  let living = ''
  // A line that wraps could not be taken back
  const fitting = (line: string): string => cut(line, (columns ?? 80) - 1)
  return {
    isTty,
    say: (...lines) => stdout(`${living === '' ? '' : clearLine}${lines.map((line) => `${line}\n`).join('')}${living}`),
    live: (line) => {
      if (!isTty) return
      const next = line === '' ? '' : dress(fitting(line))
      if (next !== living) stdout(`${clearLine}${next}`)
      living = next
    },
  }
}

/** Knows how figures are summed up and printed. */
import type { Spent } from './cpu.ts'

export const say = (line: string): void => void process.stdout.write(`${line}\n`)

export const median = (values: ReadonlyArray<number>): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0

export const spentLine = (each: Spent): string => {
  const sum = Object.values(each).reduce((total, one) => total + one, 0)
  return `CPU ${Math.round(sum)} µs each: ${Object.entries(each).map(([name, micros]) => `${name} ${Math.round(micros)}`).join(', ')}`
}

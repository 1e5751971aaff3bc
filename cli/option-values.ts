/** Knows how the text of an option becomes its value; commander tells the person what is wrong with it. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '#libs/config/duration.ts'

export const wholeNumber = (from: number, to: number) => (text: string): number => {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (number >= from && number <= to) return number
  throw new InvalidArgumentError(`Expected a whole number from ${from} to ${to}.`)
}

/** In ms. */
export const duration = (text: string): number => {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('Expected a duration such as 30s, 5m or 1h.')
}

/** A list of whole numbers, one argument each. */
export const sequences = (text: string, before: ReadonlyArray<number> | undefined): ReadonlyArray<number> => [...(before ?? []), wholeNumber(1, Number.MAX_SAFE_INTEGER)(text)]

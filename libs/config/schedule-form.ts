/** Knows how a schedule is written: `{ every: 30s, jitter: 5s }`, `{ cron: "0 6 * * *", timeZone: Europe/Berlin }`, `manual`. */
import { cronMistake } from '../domain/cron.ts'
import { scheduleMistake, shortestIntervalMs } from '../domain/slots.ts'
import type { Schedule } from '../domain/schedule.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { duration, inside, isMapping, mapping, text, wrong, type Form } from './form.ts'
import { present } from './present.ts'

const forms = '{ every: 30s }, { cron: "0 6 * * *", timeZone: Europe/Berlin } or manual'
/** Longer than any interval that a person means. */
const longestMs = 366 * 86_400_000
const anyDuration = duration(0, longestMs, 'of at most 366d')

export const schedule: Form<Schedule> = (at) => {
  const { value } = at
  if (value === 'manual') return { kind: 'manual' }
  if (typeof value === 'string' && parseDuration(value) !== undefined) return wrong(at, { expected: forms, mend: `write { every: ${value} }` })
  if (!isMapping(value)) return wrong(at, { expected: forms })
  if (Object.hasOwn(value, 'every') && Object.hasOwn(value, 'cron')) return wrong(at, { found: 'both `every` and `cron`', expected: 'one of them' })
  if (Object.hasOwn(value, 'cron')) return cron(at)
  if (Object.hasOwn(value, 'every')) return interval(at)
  mapping(at, ['every', 'cron', 'timeZone', 'jitter'], forms)
  return wrong(at, { expected: forms, problem: 'neither `every` nor `cron` is there', mend: `write ${forms}` })
}

const interval: Form<Schedule> = (at) => {
  const fields = mapping(at, ['every', 'jitter'], forms)
  const everyMs = fields?.get('every', anyDuration)
  const jitterMs = fields?.get('jitter', anyDuration)
  if (everyMs === undefined) return undefined
  if (everyMs < shortestIntervalMs) return wrong(inside(at, 'every'), { expected: `at least ${formatDuration(shortestIntervalMs)}` })
  if (jitterMs !== undefined && jitterMs >= everyMs) return wrong(inside(at, 'jitter'), { expected: `less than the interval of ${formatDuration(everyMs)}` })
  return present({ kind: 'interval' as const, everyMs, jitterMs })
}

const cron: Form<Schedule> = (at) => {
  const fields = mapping(at, ['cron', 'timeZone', 'jitter'], forms)
  const expression = fields?.get('cron', text)
  const timeZone = fields?.has('timeZone') === true ? fields.get('timeZone', text) : 'UTC'
  const jitterMs = fields?.get('jitter', anyDuration)
  if (timeZone !== undefined && cronMistake('* * * * *', timeZone) !== undefined) return wrong(inside(at, 'timeZone'), { expected: 'an IANA time zone such as Europe/Berlin or UTC' })
  if (expression === undefined || timeZone === undefined) return undefined
  const found: Schedule = present({ kind: 'cron' as const, expression, timeZone, jitterMs })
  const mistake = scheduleMistake(found)
  return mistake === undefined ? found : wrong(inside(at, 'cron'), { expected: 'a cron expression', problem: mistake })
}

/** The same form back. */
export const writtenSchedule = (found: Schedule): unknown => {
  switch (found.kind) {
    case 'manual':
      return 'manual'
    case 'interval':
      return { every: formatDuration(found.everyMs), ...jitterOf(found) }
    case 'cron':
      return { cron: found.expression, timeZone: found.timeZone, ...jitterOf(found) }
  }
}

const jitterOf = ({ jitterMs }: { readonly jitterMs?: number }) => (jitterMs === undefined ? {} : { jitter: formatDuration(jitterMs) })


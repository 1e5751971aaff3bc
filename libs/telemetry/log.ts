/**
 * Knows how a log line is made: an event name of the catalogue, facts by allow-list, JSON by pino or one line for a
 * person. Does not know what happened, and never fails the one who logs.
 */
import { destination, pino, stdTimeFunctions } from 'pino'
import type { Logger } from 'pino'
import { prettyLine } from './pretty.ts'
import { safeFacts } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export const logLevels: ReadonlyArray<LogLevel> = ['debug', 'info', 'warn', 'error']

type Say = (event: string, facts?: Record<string, unknown>) => void

/** `event`: a name of `logEvents`; `facts`: names of `facts` in facts.ts, anything else is printed as "[withheld]". */
export type Log = {
  readonly debug: Say
  readonly info: Say
  readonly warn: Say
  readonly error: Say
  /** A log whose every line also says these facts. */
  readonly child: (facts: Record<string, unknown>) => Log
}

export type LogOptions = {
  readonly service: string
  readonly level: LogLevel
  readonly format: 'json' | 'pretty'
  /** Colours of the pretty format; only for a terminal. */
  readonly colour?: boolean
  /** Where lines go, each with its line break. Default: standard output, written at once so that a crash loses nothing. */
  readonly write?: (line: string) => void
}

export const makeLog = ({ service, level, format, colour = false, write }: LogOptions): Log => {
  const out = write === undefined ? destination({ fd: 1, sync: true }) : { write }
  const stream = format === 'json' ? out : { write: (line: string) => { out.write(prettyLine(line, { colour })) } }
  const options = {
    level,
    base: null,
    messageKey: 'event',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  return logOver(pino(options, stream), { service })
}

/** Says nothing: for tests and for libraries used without a service. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

/** `always` is merged by hand: pino would print a name twice that is said both always and now. */
const logOver = (logger: Logger, always: Readonly<Record<string, unknown>>): Log => {
  const sayAt = (level: LogLevel): Say => (event, facts = {}) => {
    if (logger.isLevelEnabled(level)) logger[level]({ ...always, ...safeFacts(facts) }, event)
  }
  return {
    debug: sayAt('debug'),
    info: sayAt('info'),
    warn: sayAt('warn'),
    error: sayAt('error'),
    child: (facts) => logOver(logger, { ...always, ...safeFacts(facts) }),
  }
}

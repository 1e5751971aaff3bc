/** Knows when what is told of `syncline up`: what comes up, each connection's first run, changes, a sign of life. */
import type { Clock } from '#libs/clock.ts'
import type { RunResult } from '#libs/contracts/result.ts'
import { workAckWaitMs } from '#libs/contracts/streams.ts'
import type { Connection } from '#libs/domain/connection.ts'
import type { Io } from '../io.ts'
import type { Paint } from '../render.ts'
import type { Up, UpFact } from './bring-up.ts'
import type { UpOptions } from './options.ts'
import type { Unpacked } from './quickstart-data.ts'
import type { Screen } from './screen.ts'
import { makeSession } from './session.ts'
import { pathFrom, whereNext } from './where-next.ts'
import { factLine, farewell, headLine, heartbeat, newsLines, noteLine, tableOf } from './words.ts'

export type TellerParts = {
  readonly options: UpOptions
  readonly io: Io
  readonly paint: Paint
  readonly screen: Screen
  readonly version: string
  readonly clock: Clock
  readonly quickstart: Unpacked | undefined
  readonly connections: ReadonlyArray<Connection>
}

/** A terminal is redrawn as often as a person can read, a pipe gets a line now and then. */
const liveEveryMs = 500
const pipeEveryMs = 30_000
/** Where to look next is said when all connections have run once, or after this. */
const patienceMs = 10_000
/** Until the lease of a killed worker has run out, and its work is delivered again (SYNC.md §C.1). */
const cutOffSeconds = workAckWaitMs / 1_000 + 3
/** More connections than this are not told one by one. */
const mostNamed = 12

export const makeTeller = ({ options, io, paint, screen, version, clock, quickstart, connections }: TellerParts) => {
  const began = clock.monotonic()
  const session = makeSession()
  const table = tableOf(connections)
  const kept = pathFrom(io.cwd, options.dir)
  const early: Array<RunResult> = []
  let up: Up | undefined
  let isStopping = false
  let hasHead = false
  let hasPointed = false
  let timer: NodeJS.Timeout | undefined
  let upAt = 0
  let lastDrawn = 0

  const draw = (): void => {
    if (up === undefined || isStopping) return
    const line = heartbeat(session.totals(), clock.monotonic() - began, clock.now())
    // What does not fit is cut at the end: that is not the hint
    if (screen.isTty) screen.live(`  Ctrl-C ends it   ${line}`)
    else if (clock.monotonic() - lastDrawn >= pipeEveryMs) {
      lastDrawn = clock.monotonic()
      screen.say(`  ${line}`)
    }
    if (clock.monotonic() - upAt > patienceMs) point()
  }

  const point = (): void => {
    if (up === undefined || hasPointed || isStopping) return
    hasPointed = true
    const unheard = connections.map(({ id }) => id).filter((id) => !session.heard().has(id))
    const [first] = unheard
    if (first !== undefined && connections.length <= mostNamed) screen.say(`  ${paint('dim', `not heard of yet: ${unheard.join(', ')}; npx syncline explain ${first} says why`)}`)
    screen.say(headLine(paint, 'Where to look next'), ...whereNext({ up, options, quickstart, cwd: io.cwd, hasToken: io.env['TRACKER_HTTP_TOKEN'] !== undefined, paint }), '')
  }

  const hear = (result: RunResult): void => {
    const news = session.hear(result)
    if (news !== undefined && (connections.length <= mostNamed || news.is === 'trouble' || news.is === 'recovered')) {
      if (!hasHead) screen.say(headLine(paint, news.is !== 'began' ? 'Runs' : news.isFirstSync ? 'First syncs' : 'Going on from where it was'))
      hasHead = true
      screen.say(...newsLines(paint, news, table, new Date(clock.now()).toTimeString().slice(0, 8)))
    }
    if (connections.length > 0 && connections.every(({ id }) => session.heard().has(id))) point()
  }

  const goodbye = (): void => {
    isStopping = true
    screen.live('')
    screen.say('', `  ${paint('dim', up === undefined ? 'Ending as soon as everything has come up. Ctrl-C again ends it at once.' : 'Ending: what runs is finished first. Ctrl-C again ends it at once.')}`)
  }

  return {
    begin: (wasCutOff: boolean): void => {
      io.interrupted.addEventListener('abort', goodbye, { once: true })
      screen.say('', `  ${paint('bold', `Syncline ${version}`)}${options.quickstart ? '  quickstart' : ''}  ${paint('dim', `data in ${kept}`)}`, '')
      if (wasCutOff) screen.say(`  ${paint('dim', `The last start here was killed: what it had in hand goes on within ${cutOffSeconds} s.`)}`, '')
    },

    came: (fact: UpFact): void => {
      const note = (text: string | undefined): ReadonlyArray<string> => (text === undefined ? [] : [noteLine(paint, text)])
      switch (fact.is) {
        case 'nats':
          return screen.say(factLine(paint, `NATS ${fact.version}`, fact.url, fact.isOwn ? `JetStream on disk, ${flushing(options.syncInterval)}` : 'the one of NATS_URL', fact.ms), ...note(fact.note))
        case 'database':
          return screen.say(factLine(paint, `PostgreSQL ${fact.database.version}`, fact.database.place, fact.database.isOwn ? '' : 'the one of DATABASE_URL', fact.ms), ...note(fact.database.note))
        case 'services':
          return screen.say(factLine(paint, 'Services', fact.names.join(', '), '', fact.ms))
        case 'http':
          return screen.say(factLine(paint, 'HTTP', fact.url), ...note(fact.note))
      }
    },

    /** What ends before everything is up is told after that. */
    heard: (result: RunResult): void => {
      if (up === undefined) early.push(result)
      else hear(result)
    },

    isUp: (running: Up): void => {
      up = running
      early.splice(0).forEach(hear)
      void running.broken.then((reason) => {
        if (!isStopping) screen.say('', `  ${paint('red', reason)}`)
        isStopping = true
        screen.live('')
      })
      upAt = clock.monotonic()
      lastDrawn = upAt
      if (connections.every(({ id }) => session.heard().has(id))) point()
      timer = setInterval(draw, liveEveryMs)
      draw()
    },

    end: (hasDrained: boolean): void => {
      clearInterval(timer)
      screen.live('')
      const how = hasDrained ? farewell(session.totals(), clock.monotonic() - began) : 'Ended before everything was finished.'
      screen.say(...[how, `What there is stays in ${kept}: start again to go on.`].map((line) => `  ${paint('dim', line)}`), '')
    },
  }
}

const flushing = (syncInterval: string): string => (syncInterval === 'always' ? 'every write flushed' : `flushed every ${syncInterval}`)

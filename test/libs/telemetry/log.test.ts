import { describe, expect, it } from 'vitest'
import { makeLog, silentLog } from '#libs/telemetry/log.ts'
import type { LogOptions } from '#libs/telemetry/log.ts'

const collecting = (options: Partial<LogOptions> = {}) => {
  const lines: string[] = []
  const log = makeLog({ service: 'scheduler', level: 'info', format: 'json', write: (line) => lines.push(line), ...options })
  return { log, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

describe('a line in JSON', () => {
  it('has its time, level, service, event and facts', () => {
    const { log, records } = collecting()
    log.info('process.ready', { services: ['scheduler'] })
    const [line] = records()
    expect(line).toEqual({ level: 'info', time: expect.any(String), service: 'scheduler', services: ['scheduler'], event: 'process.ready' })
    expect(line?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  it('says also what its log says always', () => {
    const { log, records } = collecting()
    log.child({ conn: 'contacts', run: '01J' }).child({ traceId: 'ab' }).warn('service.failed', { code: 'E1' })
    expect(records()[0]).toMatchObject({ conn: 'contacts', run: '01J', traceId: 'ab', code: 'E1', level: 'warn' })
  })

  it('says a name once: the nearest fact stands', () => {
    const { log, lines, records } = collecting()
    log.child({ conn: 'contacts' }).info('process.ready', { service: 'tracker', conn: 'meters' })
    expect(records()[0]).toMatchObject({ service: 'tracker', conn: 'meters' })
    expect(lines[0]?.match(/"(service|conn)":/g)).toHaveLength(2)
  })

  it('needs no facts', () => {
    const { log, records } = collecting()
    log.error('service.failed')
    expect(records()[0]).toMatchObject({ event: 'service.failed' })
  })

  it('ends with a line break, and has no other', () => {
    const { log, lines } = collecting()
    log.info('process.ready', { reason: 'a\nb' })
    expect(lines[0]).toMatch(/^[^\n]*\n$/)
  })
})

describe('below its level', () => {
  it('is silent', () => {
    const { log, lines } = collecting({ level: 'warn' })
    log.debug('process.ready')
    log.info('process.ready')
    log.child({ conn: 'c' }).info('process.ready')
    log.warn('process.ready')
    expect(lines).toHaveLength(1)
  })
})

const canaries = ['CANARY-password', 'CANARY-token', 'CANARY-content', 'CANARY-query', 'CANARY-stack', 'CANARY-header']

describe.each(['json', 'pretty'] as const)('with secrets planted everywhere, as %s', (format) => {
  it('lets none of them out', () => {
    const { log, lines } = collecting({ format, level: 'debug' })
    const error = Object.assign(new Error('GET https://user:CANARY-password@host:5232/a?key=CANARY-query#CANARY-token failed'), {
      code: 'ECONNRESET',
      config: { headers: { authorization: 'Bearer CANARY-header' } },
      response: 'CANARY-content',
    })
    error.stack = 'CANARY-stack'
    const facts: Record<string, unknown> = {
      conn: 'contacts',
      error,
      cause: new Error('postgres://app:CANARY-password@db/main is down', { cause: new Error('CANARY-content') }),
      password: 'CANARY-password',
      fields: { FN: 'CANARY-content' },
      item: { fields: { FN: 'CANARY-content' } },
      counts: { created: 1, note: 'CANARY-content' },
      reason: 'Authorization: Bearer CANARY-header',
      message: 'token=CANARY-token; {"client_secret":"CANARY-token"} refresh_token: CANARY-token',
      why: 'Unexpected token C in JSON at position 1: "CANARY-content" is not valid JSON',
      report: ['items.0.source: expected string, found {"FN":"CANARY-content"}', 'not JSON: Unexpected token \'C\', "CANARY-content" is not valid JSON'],
      url: new URL('https://user:CANARY-password@host/'),
      list: ['CANARY-content'],
      flows: [{ id: 'CANARY-content' }],
      constructor: 'CANARY-content',
      toString: 'CANARY-content',
    }
    log.info('service.failed', facts)
    log.child(facts).error('service.failed', { error: { is: 'needs-person', message: 'pass phrase: password=CANARY-password', body: 'CANARY-content' } })
    expect(lines).toHaveLength(2)
    for (const canary of canaries) expect(lines.join('')).not.toContain(canary)
    expect(lines[0]).toContain('ECONNRESET')
    expect(lines[0]).toContain('host:5232/a')
  })
})

describe('a log of nothing', () => {
  it('has children alike', () => {
    expect(silentLog.child({ conn: 'c' })).toBe(silentLog)
  })
})

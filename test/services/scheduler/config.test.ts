import { describe, expect, it } from 'vitest'
import { readEnv } from '#libs/process/env.ts'
import { configOf } from '../../../services/scheduler/config.ts'

describe('the settings of the scheduler', () => {
  it('have defaults', () => {
    expect(configOf(readEnv({}))).toEqual({ ticks: true, requestConcurrency: 64 })
  })

  it('can switch the ticks off', () => {
    expect(configOf(readEnv({ SCHEDULER_TICKS: 'off', SCHEDULER_REQUEST_CONCURRENCY: '4' }))).toEqual({ ticks: false, requestConcurrency: 4 })
  })

  it('tell every mistake', () => {
    const env = readEnv({ SCHEDULER_TICKS: 'maybe', SCHEDULER_REQUEST_CONCURRENCY: '0' })
    configOf(env)
    expect(env.mistakes()).toHaveLength(2)
  })
})

import { describe, expect, it } from 'vitest'
import { readEnv } from '#libs/process/env.ts'
import { configOf, resolverDefaults } from '../../../services/conflict-resolver/config.ts'

describe('the settings of the conflict-resolver', () => {
  it('are the defaults where nothing is said', () => {
    const env = readEnv({})
    expect(configOf(env)).toEqual(resolverDefaults)
    expect(env.mistakes()).toEqual([])
  })

  it('are taken over', () => {
    expect(configOf(readEnv({ RESOLVER_MAX_BODY_BYTES: ' 500000 ' }))).toEqual({ maxBodyBytes: 500_000 })
  })

  it.each(['1e9', '-1', '999', '64000001', 'many'])('are refused as %s', (value) => {
    const env = readEnv({ RESOLVER_MAX_BODY_BYTES: value })
    configOf(env)
    expect(env.mistakes()).toEqual([`RESOLVER_MAX_BODY_BYTES: expected a whole number from 1000 to 64000000, found "${value}"`])
  })
})

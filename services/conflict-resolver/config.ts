/** Knows the settings of the conflict-resolver, their defaults and why those. Does not read the environment: main.ts does. */
import type { EnvReader } from '#libs/process/env.ts'

export type Config = {
  /** Longest question and longest answer, bytes. */
  readonly maxBodyBytes: number
}

export const resolverDefaults: Config = {
  maxBodyBytes: 1_000_000, // a NATS message holds 1 MiB; what is left of it is room for headers
}

export const configOf = (env: EnvReader): Config => ({
  maxBodyBytes: env.wholeNumber('RESOLVER_MAX_BODY_BYTES', 1_000, 64_000_000, resolverDefaults.maxBodyBytes),
})

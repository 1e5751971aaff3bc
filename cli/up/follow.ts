/** Knows how the results of all connections reach the person who watches. Does not know how they are told. */
import { decode } from '#libs/contracts/decode.ts'
import { RunResult } from '#libs/contracts/result.ts'
import { subjects } from '#libs/contracts/subjects.ts'
import { E } from '#libs/fp.ts'
import type { Bus } from '#libs/nats/connect.ts'
import { subscribe, type Listening } from '#libs/nats/subscribe.ts'

/** A result that cannot be read is the tracker's to complain about. */
export const followResults = (bus: Bus, hear: (result: RunResult) => void): Listening =>
  subscribe(bus, {
    subject: subjects.results,
    handle: ({ body }) => {
      const result = decode(RunResult, body)
      if (E.isRight(result)) hear(result.right)
    },
    onError: () => undefined, // what is wrong with the connection, the services say
  })

/** The one door to fp-ts: four modules and one combinator, nothing more (docs/adr/0001). */
export * as E from 'fp-ts/lib/Either.js'
export * as O from 'fp-ts/lib/Option.js'
export * as TE from 'fp-ts/lib/TaskEither.js'
export * as RA from 'fp-ts/lib/ReadonlyArray.js'
export { pipe } from 'fp-ts/lib/function.js'

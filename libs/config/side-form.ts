/** Knows how one side of a flow is written, and that no secret stands in the file. The rest the provider's connector knows. */
import { resolve } from 'node:path'
import type { Connector } from '../connectors/connector.ts'
import type { Side } from '../domain/connection.ts'
import type { RecordKind } from '../domain/record.ts'
import { nearest } from './did-you-mean.ts'
import { inside, isMapping, wrong, type At, type Form } from './form.ts'
import { pathText, type Path } from './mistake.ts'

export type Connectors = ReadonlyMap<string, Pick<Connector, 'validate'>>

/** `kind` undefined: it was wrong itself, so the options are not judged. */
export const side = (known: Connectors, kind: RecordKind | undefined, folder: string): Form<Side> => (at) => {
  const { value } = at
  if (!isMapping(value)) return wrong(at, { expected: 'a mapping with `provider` and its options' })
  const { provider, ...options } = value
  const secretAt = tellSecrets(at)
  if (typeof provider !== 'string') {
    if (provider !== undefined) return wrong(inside(at, 'provider'), { expected: `one of ${names(known)}` })
    return wrong(inside(at, 'provider'), { found: 'nothing', expected: '`provider`', problem: '`provider` is missing', mend: `add one of ${names(known)}` })
  }
  const connector = known.get(provider)
  if (connector === undefined) {
    const guess = nearest(provider, [...known.keys()])
    return wrong(inside(at, 'provider'), { expected: `one of ${names(known)}`, ...(guess === undefined ? {} : { mend: `did you mean ${guess}?` }) })
  }
  let isGood = secretAt.size === 0
  for (const { path, message, mend } of kind === undefined ? [] : connector.validate(options, kind)) {
    const place = path.reduce<At>((outer, step) => inside(outer, step), at)
    const isMissing = place.value === undefined
    const isTold = [...secretAt].some((secret) => pathText(place.path).startsWith(secret))
    isGood = false
    if (isTold) continue // what to do about it was said already
    wrong(place, {
      expected: mend ?? `what provider ${provider} takes`,
      problem: path.length === 0 ? message : `\`${path.join('.')}\` ${message}`,
      ...(mend === undefined ? {} : { mend }),
      ...(isMissing ? {} : { on: 'key' as const }),
    })
  }
  return isGood ? resolved({ ...options, provider }, folder) : undefined
}

const names = (known: Connectors): string => [...known.keys()].sort().join(', ')

/** Paths in the file are meant from the folder the file is in; the worker runs somewhere else. */
const resolved = (found: Side, folder: string): Side => {
  if (found.provider !== 'file') return found
  const { path, root } = found
  const base = typeof root === 'string' ? resolve(folder, root) : folder
  return {
    ...found,
    ...(typeof path === 'string' ? { path: resolve(base, path) } : {}),
    ...(typeof root === 'string' ? { root: base } : {}),
  }
}

/** A password in a URL, or a text under a name that means a secret. The paths of those told. */
const tellSecrets = (at: At): ReadonlySet<string> => {
  const told = new Set<string>()
  const look = (one: At, name: string): void => {
    if (typeof one.value === 'string') {
      const why = secretIn(one.value, name)
      if (why === undefined) return
      told.add(pathText(one.path))
      wrong(one, { found: 'a secret', expected: 'the name of an environment variable', problem: why, mend: `write ${name}: { env: ${variableFor(one.path)} } and set that variable where the worker runs` })
    } else if (Array.isArray(one.value)) one.value.forEach((_, i) => look(inside(one, i), name))
    else if (isMapping(one.value) && !Object.hasOwn(one.value, 'env')) for (const key of Object.keys(one.value)) look(inside(one, key), key)
  }
  look(at, '')
  return told
}

const secretNames = /^(pass(word|wd|phrase)?|secret|.*[_-]?token|client[_-]?secret|api[_-]?key|private[_-]?key|.*password|credentials?)$/i

const secretIn = (value: string, name: string): string | undefined => {
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]*:[^/?#\s]+@/i.test(value)) return 'a password stands in the URL'
  if (/^[a-z][a-z0-9+.-]*:\/\/\S*[?&](password|token|api_?key|secret|access_token)=[^&\s]/i.test(value)) return 'a secret stands in the URL'
  return secretNames.test(name) && value !== '' ? `\`${name}\` is written out` : undefined
}

const variableFor = (path: Path): string =>
  path.filter((step) => typeof step === 'string' && step !== 'connections' && step !== 'flows').join('_').replace(/[^A-Za-z0-9]+/g, '_').toUpperCase() || 'NAME'

/** Histories that found something once, shrunk to what it takes. Each is played in every build (found-before.test.ts). */
import type { Setup } from './setup.ts'
import type { Step } from './steps.ts'

export type Found = { readonly what: string; readonly setup: Setup; readonly steps: ReadonlyArray<Step> }

const habits = { versions: 'stable', silentWrites: false, delta: true, seenOnly: false, resumableListing: false, pageSize: 1, batchSize: 1 } as const
const base: Setup = { way: 'two-way', strategy: 'source-wins', tie: 'source', deleteWins: false, drift: 'ignore', readOnly: 'error', a: habits, b: habits }
const listed = { ...habits, delta: false }

const put = (side: 'source' | 'destination', key: string, value: string): Step => ({ do: 'put', side, key, field: 'FN', value })
const sync: Step = { do: 'sync' }

const hiddenTwin: ReadonlyArray<Step> = [{ do: 'amnesia', side: 'source' }, put('source', 'k3', 'v1'), { do: 'sameAgain' }, { do: 'twin', side: 'source', key: 'k3' }, sync]

export const foundBefore: ReadonlyArray<Found> = [
  ...(['two-way', 'spooled', 'streamed'] as const).map((way): Found => ({
    what: `a twin of an item that a listing had left out comes and goes (${way})`,
    setup: { ...base, way, b: listed },
    steps: hiddenTwin,
  })),
  {
    what: 'a side that tells no version of what was written to it gets no write without a precondition',
    setup: { ...base, way: 'spooled', a: listed, b: { ...habits, silentWrites: true } },
    steps: [put('source', 'k3', 'v1'), put('source', 'k1', 'v2'), { do: 'failWrites', side: 'destination', n: 1 }, { do: 'sync', full: true }, { do: 'delete', side: 'source', key: 'k1' }],
  },
  ...(['spooled', 'streamed'] as const).map((way): Found => ({
    what: `an item goes away while the first sync is broken off (${way})`,
    setup: { ...base, way, b: listed },
    steps: [put('source', 'k3', 'v1'), put('source', 'k1', 'v2'), { do: 'failWrites', side: 'destination', n: 1 }, { do: 'sync', full: true }, { do: 'delete', side: 'source', key: 'k1' }],
  })),
  {
    what: 'a twin goes away under an id that no link has (streamed)',
    setup: { ...base, way: 'streamed' },
    steps: [put('source', 'k1', 'v1'), { do: 'twin', side: 'source', key: 'k1' }, sync],
  },
  {
    what: 'an identity is changed in place, and the run ends between the two rows (streamed)',
    setup: { ...base, way: 'streamed' },
    steps: [put('source', 'k5', 'v1'), sync, { do: 'loseAnswers', side: 'destination', n: 1 }, { do: 'rekey', side: 'source', key: 'k5', to: 'k1' }, sync],
  },
  {
    what: 'one of two twins cannot be read any more (streamed)',
    setup: { ...base, way: 'streamed', a: { ...listed, resumableListing: true } },
    steps: [put('source', 'k4', 'v1'), { do: 'twin', side: 'source', key: 'k4' }, sync, { do: 'spoil', side: 'source', key: 'k4' }, sync],
  },
  {
    what: 'what could not be read, and met its copy in a first sync, can be read again',
    setup: base,
    steps: [put('source', 'k4', 'v1'), sync, { do: 'dropCheckpoint' }, { do: 'spoil', side: 'source', key: 'k4' }, sync],
  },
  {
    what: 'a twin shows before what was written a moment ago',
    setup: { ...base, a: listed, b: listed, lateMs: 60_000 },
    steps: [put('destination', 'k3', 'v1'), sync, { do: 'twin', side: 'source', key: 'k3' }, sync, put('destination', 'k3', 'v2')],
  },
  {
    what: 'an item that a listing had left out is met by another one, whose write fails',
    setup: { ...base, b: listed },
    steps: [put('source', 'k2', 'v1'), { do: 'amnesia', side: 'source' }, sync, put('destination', 'k2', 'v2'), { do: 'failWrites', side: 'destination', n: 1 }, sync],
  },
  {
    what: 'a listing that goes on leaves out what it changed (streamed)',
    setup: { ...base, way: 'streamed', a: { ...listed, resumableListing: true }, b: listed },
    steps: [put('source', 'k3', 'v1'), put('source', 'k1', 'v2'), sync, put('source', 'k3', 'v3'), { do: 'omit', side: 'source', key: 'k3' }, sync],
  },
  {
    what: 'what could not be read was set aside twice, and goes away',
    setup: { ...base, a: listed },
    steps: [put('source', 'k2', 'v1'), sync, { do: 'spoil', side: 'destination', key: 'k2' }, { do: 'dropCheckpoint' }, sync, { do: 'delete', side: 'destination', key: 'k2' }],
  },
  {
    what: 'a twin of what the destination refuses goes away again (streamed)',
    setup: { ...base, way: 'streamed', b: listed },
    steps: [put('source', 'k3', 'v1'), { do: 'refuse', side: 'destination', key: 'k3' }, { do: 'twin', side: 'source', key: 'k3' }, sync],
  },
  {
    what: 'a listing after a lost cursor leaves out what was edited (streamed)',
    setup: { ...base, way: 'streamed', b: listed },
    steps: [put('source', 'k3', 'v1'), sync, { do: 'expire', side: 'source' }, put('source', 'k3', 'v2'), { do: 'omit', side: 'source', key: 'k3' }, put('source', 'k1', 'v3'), sync],
  },
  {
    what: 'a side that shows late has what it cannot show yet',
    setup: { ...base, strategy: 'merge', a: listed, b: listed, lateMs: 60_000 },
    steps: [put('source', 'k1', 'v1'), { do: 'failWrites', side: 'source', n: 1 }, { do: 'put', side: 'destination', key: 'k1', field: 'TEL', value: 'v2' }, sync, sync, { do: 'delete', side: 'destination', key: 'k1' }],
  },
  {
    what: 'of two that shared an identity one becomes another item, and the other cannot be read',
    setup: { ...base, a: listed, b: listed },
    steps: [
      put('source', 'k3', 'v1'), sync, { do: 'twin', side: 'destination', key: 'k3' }, sync, { do: 'rekey', side: 'destination', key: 'k3', to: 'k1' },
      { do: 'spoil', side: 'destination', key: 'k3' }, put('source', 'k1', 'v2'), sync,
    ],
  },
  {
    what: 'what was let go of beside a sealed side, and met again, is deleted there',
    setup: { ...base, readOnly: 'revert', a: listed, b: listed },
    steps: [
      put('source', 'k5', 'v1'), sync, { do: 'amnesia', side: 'destination' }, { do: 'dropLedger' }, { do: 'readOnly', side: 'destination' }, sync, sync,
      { do: 'delete', side: 'destination', key: 'k5' },
    ],
  },
  {
    what: 'an item appears while its first copy is made, beside a side that may not be written for a while',
    setup: { ...base, a: listed, b: listed },
    steps: [{ do: 'readOnly', side: 'destination' }, put('destination', 'k5', 'v1'), { do: 'meddle', at: 3, side: 'source', key: 'k5', value: 'v2' }, sync],
  },
  ...([[], [{ do: 'spoil', side: 'source', key: 'k4' } as const]]).map((spoilt): Found => ({
    what: `one of two that share an identity becomes another item${spoilt.length === 0 ? '' : ', and the other cannot be read'} (streamed)`,
    setup: { ...base, way: 'streamed', b: listed },
    steps: [put('source', 'k4', 'v1'), { do: 'twin', side: 'source', key: 'k4' }, sync, { do: 'rekey', side: 'source', key: 'k4', to: 'k1' }, ...spoilt, sync],
  })),
  {
    what: 'a twin that could not be read goes away (streamed)',
    setup: { ...base, way: 'streamed', b: listed },
    steps: [put('source', 'k5', 'v1'), { do: 'twin', side: 'source', key: 'k5' }, put('source', 'k5', 'v2'), { do: 'sync', full: true }, { do: 'spoil', side: 'source', key: 'k5' }, sync],
  },
  {
    what: 'a listing leaves out what cannot be read (page by page)',
    setup: { ...base, way: 'beside', a: { ...habits, idsAreKeys: true }, b: { ...habits, idsAreKeys: true }, pairedAbove: 0 },
    steps: [
      put('source', 'k1', 'v1'), sync, { do: 'expire', side: 'source' }, { do: 'spoil', side: 'source', key: 'k1' }, put('source', 'k3', 'v2'),
      { do: 'omit', side: 'source', key: 'k1' }, sync,
    ],
  },
  {
    what: 'an identity that was set aside is taken by an item whose old one could not be followed (beside the rows)',
    setup: { ...base, way: 'beside', strategy: 'manual' },
    steps: [
      put('source', 'k2', 'v1'), { do: 'refuse', side: 'destination', key: 'k1' }, put('source', 'k1', 'v2'), { do: 'failWrites', side: 'source', n: 1 },
      { do: 'sync', full: true }, { do: 'rekey', side: 'destination', key: 'k2', to: 'k1' }, sync,
    ],
  },
]

/** Knows what a person may want to do once everything runs, with the command for each. Pure. */
import { join, relative } from 'node:path'
import { defaultNatsUrl } from '#libs/process/settings.ts'
import type { Paint } from '../render.ts'
import type { Up } from './bring-up.ts'
import { databaseUrlFile } from './database.ts'
import type { UpOptions } from './options.ts'
import type { Unpacked } from './quickstart-data.ts'

export type Whereabouts = {
  readonly up: Pick<Up, 'natsUrl' | 'httpUrl' | 'database'>
  readonly options: Pick<UpOptions, 'dir'>
  readonly quickstart: Unpacked | undefined
  readonly cwd: string
  /** The HTTP API wants one. */
  readonly hasToken: boolean
  readonly paint: Paint
}

export const whereNext = ({ up: { natsUrl, httpUrl, database }, options: { dir }, quickstart, cwd, hasToken, paint }: Whereabouts): ReadonlyArray<string> => {
  const line = (what: string, how: string): string => `  ${what.padEnd(23)}  ${paint('bold', how)}`
  const path = (...parts: ReadonlyArray<string>): string => pathFrom(cwd, join(...parts))
  // The command line finds what runs in ./.syncline by itself
  const isFound = natsUrl === defaultNatsUrl || dir === join(cwd, '.syncline')
  const token = hasToken ? '-H "Authorization: Bearer $TRACKER_HTTP_TOKEN" ' : ''
  return [
    ...(isFound ? [] : [line('for these commands', `export NATS_URL=${natsUrl}`)]),
    ...(quickstart === undefined ? [line('add connections', 'npx syncline apply -f <file>, such as examples/quickstart/syncline.yaml')] : [
      line('edit, add, delete cards', `${path(quickstart.folder, 'contacts-a')}, or contacts-b`),
      line('edit the team\'s events', path(quickstart.folder, 'calendar-team')),
      ...(database === undefined ? [] : [line('see the readings arrive', `psql "$(cat ${path(dir, databaseUrlFile)})" -c 'table meter_readings'`)]),
      line('change what is synced', `npx syncline apply -f ${path(quickstart.config)}`),
    ]),
    line('how every connection is', 'npx syncline status'),
    line('the same over HTTP', `curl -s ${token}${httpUrl.replace('http://', '')}/api/sync/statistics`),
    line('hear every result', `nats sub 'sync.result.>' -s ${natsUrl}`),
    line('how it works', 'README.md, docs/architecture.md'),
  ]
}

/** The shorter way to say it. */
export const pathFrom = (cwd: string, path: string): string => {
  const near = relative(cwd, path)
  return near === '' ? '.' : near.startsWith('..') ? path : near
}

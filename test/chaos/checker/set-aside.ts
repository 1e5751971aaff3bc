/** Knows which items somebody was told of instead of their being synced: parked, in conflict, poisoned, or held with all others. */
import type { Story } from './story.ts'

export const setAsideIn = (story: Story) => {
  const items = new Set<string>()
  for (const { conn, raw, state } of story.all('final-link')) {
    const key = keyIn(raw)
    if (state !== 'linked' && key !== undefined) items.add(`${conn}/${key}`)
  }
  for (const { conn, raw } of story.all('dead')) {
    const key = keyIn(raw)
    if (key !== undefined) items.add(`${conn}/${key}`)
  }
  for (const { conn, key } of story.all('poison')) if (key !== undefined) items.add(`${conn}/${key}`)
  const held = new Set(story.all('final-status').filter(({ state }) => state === 'held').map(({ conn }) => conn))
  return (conn: string, key: string): boolean => held.has(conn) || items.has(`${conn}/${key}`)
}

const keyIn = (raw: unknown): string | undefined => {
  const key = typeof raw === 'object' && raw !== null && 'key' in raw ? raw.key : undefined
  return typeof key === 'string' ? key : undefined
}

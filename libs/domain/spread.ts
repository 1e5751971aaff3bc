/** Knows how to spread ids evenly and repeatably. Not for secrets: anyone can compute it. */

/** In [0, 1): the same for the same id on any machine. */
export const spreadOf = (id: string): number => finish(fnv1a(id)) / 4_294_967_296

/** In [0, 1): as spreadOf, and different for each `n` (a whole number up to 2^53). */
export const spreadOfNth = (id: string, n: number): number => {
  const low = mix(fnv1a(id), n % 4_294_967_296)
  return finish(mix(low, Math.floor(n / 4_294_967_296))) / 4_294_967_296
}

/** FNV-1a, 32 bit, over UTF-16 code units: ids are ASCII, so these are their bytes. */
const fnv1a = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** FNV alone leaves ids that differ in the last character close together; murmur3's finalizer tears them apart. */
const finish = (hash: number): number => {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** One block of murmur3. */
const mix = (hash: number, block: number): number => {
  let k = Math.imul(block, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const h = hash ^ k
  return Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64
}

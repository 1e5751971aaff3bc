/**
 * Knows on which ledger page a link stands. Linear hashing: `pages` may be any whole number, and growing from P to P+1
 * moves links of one page only, so a ledger never has to be rewritten at once (SYNC.md §A.1.5).
 */

/** Links of about 400–600 B, page of at most 64 KiB: SYNC.md §A.1.5. */
export const linksPerPage = 110

/** Pages to begin with when the number of links is known beforehand. */
export const pagesFor = (links: number): number => Math.max(1, Math.ceil(links / linksPerPage))

/** `linkKey` is base64url: its first six characters are 36 well-mixed bits. */
export const pageOf = (linkKey: string, pages: number): number => {
  if (pages <= 1) return 0
  const hash = number36(linkKey)
  const low = 2 ** Math.floor(Math.log2(pages))
  const high = hash % (low * 2)
  return high < pages ? high : hash % low
}

/** The page whose links are shared with page number `pages` when the ledger grows by one. */
export const splitPage = (pages: number): number => pages - 2 ** Math.floor(Math.log2(pages))

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

const number36 = (text: string): number => {
  let value = 0
  for (let i = 0; i < 6; i++) value = value * 64 + Math.max(0, alphabet.indexOf(text.charAt(i)))
  return value
}

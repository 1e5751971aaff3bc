/** Knows who may ask over HTTP, and why a port cannot be had. Does not know what is asked. */
import { createHash, timingSafeEqual } from 'node:crypto'

export const whyNot = ({ host, port }: { readonly host: string; readonly port: number }, error: NodeJS.ErrnoException): string => {
  const where = `${host}:${port}`
  const other = 'set TRACKER_HTTP_PORT to another port (0 takes a free one)'
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: is a second Syncline running? Stop it, or ${other}`
    case 'EACCES':
      return `port ${port} on ${host} is not permitted for this user: ${other}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set TRACKER_HTTP_HOST, for example to 127.0.0.1`
    default:
      return `cannot listen on ${where}: ${error.message}`
  }
}

/** Compared by digests of one length, so that the time it takes says nothing about the token. */
export const hasToken = (authorization: string | undefined, token: string): boolean => {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? ''
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

/** `origin`: the page in a browser that asks; programs send none. */
export const isForeign = (origin: string | undefined, host: string): boolean => {
  if (origin === undefined) return false
  return !['localhost', '127.0.0.1', '[::1]', host].includes(URL.parse(origin)?.hostname ?? '')
}

/** Knows what a fault of the file system means for a sync (SYNC.md §D). */
import { badItem, bug, needsPerson, unavailable, type SyncFailure } from '../../domain/failure.ts'
import type { FileFault } from './atomic-file.ts'
import type { JailFault } from './jail.ts'

export const cancelled: SyncFailure = { is: 'cancelled', message: 'ended on request' }

/** `what` names the file or folder for a person. */
export const failureOf = (fault: FileFault | JailFault, what: string): SyncFailure => {
  const more = fault.code === undefined ? {} : { code: fault.code }
  if (fault.is === 'missing') return needsPerson(`${what} does not exist`, 'create it, mount what it is on, or correct `path`; nothing was deleted on the other side', more)
  if (fault.is === 'outside') return needsPerson(`${what} leads out of its folder`, 'replace the link by the file itself', more)
  if (fault.is === 'not-a-file') return needsPerson(`${what} is not what it should be: ${fault.message}`, 'correct `path`', more)
  if (fault.is !== 'io') return badItem(`${what}: ${fault.message}`, more)
  return ofErrno(fault.code ?? '', what, fault.message)
}

const ofErrno = (code: string, what: string, message: string): SyncFailure => {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return needsPerson(`${what}: no permission`, 'give the user that runs Syncline the rights to it', { code })
    case 'EROFS':
      return needsPerson(`${what} is on a read-only file system`, 'mount it writable, or set `readOnly: true`', { code })
    case 'ENOSPC':
    case 'EDQUOT':
      return needsPerson(`${what}: the disk is full`, 'make room, then sync again', { code })
    case 'ENOTDIR':
    case 'EISDIR':
      return needsPerson(`${what} is not what it should be: ${message}`, 'correct `path`', { code })
    case 'ENAMETOOLONG':
      return badItem(`${what}: the name is too long for this file system`, { code })
    default:
      return unavailable(`${what}: ${message}`, code === '' ? {} : { code })
  }
}

/** For what the connector reads without jail or atomic file: an error thrown by node:fs. */
export const failureOfError = (error: unknown, what: string): SyncFailure => {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (code === undefined) return bug(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  return code === 'ENOENT'
    ? failureOf({ is: 'missing', name: what, message: 'missing', code }, what)
    : ofErrno(code, what, error instanceof Error ? error.message : code)
}

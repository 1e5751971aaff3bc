/** Knows which cluster answers: its own number, given when it was made, which a standby that takes over shares and a new one does not. */
import type { Session } from './session.ts'

/** undefined where the server does not tell: it is no plain PostgreSQL, or keeps it from this user. Outside of transactions only. */
export const clusterOf = async (session: Session): Promise<string | undefined> => {
  try {
    const { rows } = await session.query('SELECT system_identifier FROM pg_control_system()')
    const number = rows[0]?.[0]
    return number === undefined || number === null ? undefined : `cluster ${number}`
  } catch (error) {
    if (session.isAlive()) return undefined
    throw error
  }
}

/** Knows the paths of R 10.15 and what each asks (docs/protocol.md). Does not know HTTP's details nor the answers. */
import type { ApiQuestion } from '#libs/contracts/api-question.ts'
import type { TriggerAnswer } from '#libs/contracts/trigger.ts'
import { E } from '#libs/fp.ts'
import type { Tracer } from '#libs/telemetry/trace.ts'
import type { AnswerPorts, Verb } from './answers.ts'
import { verbs } from './answers.ts'
import type { Health } from './health.ts'
import { unknownConnection } from './history.ts'
import type { Reply, Request, Route } from './http.ts'
import type { Says } from './ports.ts'
import { questionOf, refusal } from './question.ts'
import type { Refusal } from './question.ts'
import { notNow } from './refusals.ts'

export type RoutePorts = AnswerPorts & {
  readonly trigger: Says['trigger']
  readonly health: () => Promise<Health>
  readonly tracer: Tracer
}

export const routesOf = (ports: RoutePorts): ReadonlyArray<Route> => {
  const asking = (verb: Verb) => (request: Request): Promise<Reply> =>
    ports.tracer.span('tracker.answer', { attributes: { verb } }, async () => {
      const question = questionAt(request)
      const answered = question._tag === 'Left' ? question : await verbs[verb](ports, question.right)
      return answered._tag === 'Left' ? refused(answered.left) : { code: 200, body: answered.right }
    })
  const routes: ReadonlyArray<Route> = [
    { path: '/healthz', isOpen: true, methods: { GET: async () => healthReply(await ports.health()) } },
    { path: '/api/sync/history', methods: { GET: asking('history'), DELETE: asking('clear') } },
    { path: '/api/sync/statistics', methods: { GET: asking('statistics') } },
    { path: '/api/sync/status', takesRest: true, methods: { GET: asking('status') } },
    { path: '/api/sync/safe', methods: { POST: (request) => syncSafely(ports, request) } },
    { path: '/api/sync/dead', methods: { GET: asking('dlq-list') } },
  ]
  const list = routes.map(({ path, methods }) => ({ path, methods: Object.keys(methods) }))
  return [...routes, { path: '/api/sync', isOpen: true, methods: { GET: () => Promise.resolve({ code: 200, body: { paths: list } }) } }]
}

/** Texts of the query as what they mean; the codec says what is wrong with the rest. The path names the connection for good. */
const questionAt = (request: Request): E.Either<Refusal, ApiQuestion> => {
  const asked: Record<string, unknown> = {}
  for (const [name, text] of request.query) asked[name] = name === 'connection' || name === 'reason' ? text : meaningOf(text)
  if (request.body !== undefined) {
    if (typeof request.body !== 'object' || request.body === null) return E.left(refusal(400, 'bad-question', 'the body must be a JSON object'))
    Object.assign(asked, request.body)
  }
  if (request.rest !== undefined) asked['connection'] = request.rest
  return questionOf(asked)
}

const meaningOf = (text: string): unknown => {
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : text
}

const healthReply = (health: Health): Reply => ({ code: health.status === 'ok' ? 200 : 503, body: health })

/** Asks the scheduler for a run now, unless one is going (R 6.6, 10.15, 17.2). */
const syncSafely = async (ports: RoutePorts, request: Request): Promise<Reply> => {
  const question = questionAt(request)
  if (question._tag === 'Left') return refused(question.left)
  const all = ports.directory.all()
  const conn = question.right.connection ?? (all.length === 1 ? all[0]?.id : undefined)
  if (conn === undefined) {
    return refused(refusal(400, 'which-connection', all.length === 0 ? 'there are no connections yet' : `there are ${all.length} connections: name one`, 'add ?connection=<id>; /api/sync/status lists them'))
  }
  const { reason } = question.right
  const answered = await ports.trigger(conn, { reason: reason ?? 'asked over HTTP' })()
  return answered._tag === 'Left' ? refused(notNow('the scheduler', answered.left)) : triggerReply(conn, answered.right)
}

/** 200 with the run id, where the scheduler says 202; its refusals keep their codes. */
const triggerReply = (conn: string, { answer, code, message, run, state, nextAttemptAt }: TriggerAnswer): Reply => {
  const about = {
    connection: conn, message,
    ...(run === undefined ? {} : { run }),
    ...(state === undefined ? {} : { state }),
    ...(nextAttemptAt === undefined ? {} : { next_attempt_at: new Date(nextAttemptAt).toISOString() }),
  }
  switch (answer) {
    case 'accepted':
    case 'queued':
      return { code: 200, body: { status: answer, ...about } }
    case 'already-running':
      return { code: 409, body: { status: 'skipped', ...about, statistics: {}, error: { code: answer, message, mend: 'wait for it to end: GET /api/sync/status shows it' } } }
    case 'unknown':
      return refused(unknownConnection(conn))
    case 'paused':
    case 'invalid':
    case 'unavailable':
      return { code, body: { status: 'skipped', ...about, error: { code: answer, message } } }
  }
}

const refused = ({ code, name, message, mend }: Refusal): Reply => ({ code, body: { error: { code: name, message, ...(mend === undefined ? {} : { mend }) } } })

/** Writes docs/protocol.md from libs/contracts: `node docs/tools/protocol.ts`. test/docs/protocol.test.ts compares. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as t from 'io-ts'
import { bucketDefs, consumerDefs, streamDefs } from '#libs/contracts/streams.ts'
import { formatDuration } from '#libs/config/duration.ts'
import { contractsFolder, findContracts, type Found } from './contracts.ts'
import { cell, isObject, rowsOf, tableOf, typeOf, type Names, type Row } from './field-table.ts'
import { bucketNotes, consumerNotes, guides } from './message-guide.ts'
import { declared, partOf } from './notes.ts'

export const pagePath = join(import.meta.dirname, '../protocol.md')

type Named = { readonly path: string; readonly name: string; readonly codec: t.Mixed }

/** Codecs of the domain and of the contracts that are exported under a name; lists of words are shown where they are used. */
const namedCodecs = async (): Promise<ReadonlyArray<Named>> => {
  const named: Array<Named> = []
  for (const folder of [join(contractsFolder, '../domain'), contractsFolder]) {
    for (const file of readdirSync(folder).sort()) {
      const path = join(folder, file)
      const exported = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
      for (const [name, value] of Object.entries(exported)) if (value instanceof t.Type && !(value instanceof t.KeyofType)) named.push({ path, name, codec: value as t.Mixed })
    }
  }
  return named.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const line = (cells: ReadonlyArray<string | number>): string => `| ${cells.join(' | ')} |`
const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string | number>>): string =>
  [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
const code = (text: string): string => `\`${text}\``
const times = (ms: number | undefined): string => (ms === undefined ? '' : formatDuration(ms))

const streamRows = streamDefs.map(({ name, subjects, retention, discard, maxMsgsPerSubject, maxAgeMs, duplicateWindowMs }) => [
  code(name), subjects.map(code).join('<br>'), retention === 'workqueue' ? 'until acknowledged' : `for ${times(maxAgeMs)}`,
  maxMsgsPerSubject === undefined ? '' : `${maxMsgsPerSubject}, then ${discard === 'new' ? 'refused' : 'the oldest goes'}`, times(duplicateWindowMs),
])
const consumerRows = consumerDefs.map(({ stream, durable, filterSubjects, ackWaitMs, maxDeliver, maxAckPending }) => [
  code(durable), code(stream), (filterSubjects ?? []).map(code).join('<br>'), times(ackWaitMs), maxDeliver === -1 ? 'no end' : maxDeliver, maxAckPending === -1 ? 'no limit' : maxAckPending, consumerNotes[durable] ?? '',
])
const bucketRows = bucketDefs.map(({ name, history, markerTtlMs, allowAtomic, allowDirect }) => [
  code(name), history, [...(allowAtomic === true ? ['atomic batches'] : []), ...(markerTtlMs === undefined ? [] : [`times to live, markers for ${times(markerTtlMs)}`]), ...(allowDirect === 'with-one-replica' ? ['read from the leader, or directly while there is one replica'] : [])].join('; '), bucketNotes[name] ?? '',
])

const messageSection = (names: Names) => (found: Found): string => {
  const { schema, codec } = found.contract
  const guide = guides[schema]
  const source = declared(join(contractsFolder, found.file), found.name)
  const facts = guide === undefined ? [] : [
    `- where: ${/^[a-z]+\./.test(guide.on) ? guide.on.split(' or ').map(code).join(' or ') : guide.on}`, `- said by: ${guide.says}`, `- heard by: ${guide.hears}`, `- kept: ${guide.kept}`,
    ...(guide.id === undefined ? [] : [`- \`Nats-Msg-Id\`: ${guide.id}`]), ...(guide.ack === undefined ? [] : [`- acknowledged: ${guide.ack}`]),
  ]
  const isAnothers = names.has(codec) && names.get(codec) !== schema
  const fields = isAnothers ? `The fields of ${typeOf(names, codec)}.` : tableOf(rowsOf(names, codec, source?.node))
  return [`### ${schema}`, facts.join('\n'), ...(source === undefined || source.note === '' ? [] : [cell(source.note)]), fields].join('\n\n')
}

const typeSection = (names: Names) => ({ path, name, codec }: Named): string => {
  const source = declared(path, name)
  const intro = source === undefined || source.note === '' ? [] : [cell(source.note)]
  if (!(codec instanceof t.UnionType) || !(codec.types as ReadonlyArray<t.Mixed>).every(isObject)) {
    const rows = rowsOf(names, codec, source?.node)
    return [`### ${name}`, ...intro, ...(rows.length === 0 ? [] : [tableOf(rows)])].join('\n\n')
  }
  const members = (codec.types as ReadonlyArray<t.Mixed>).map((member, n) => ({ note: partOf(source?.node, n)?.note ?? '', rows: rowsOf(names, member, partOf(source?.node, n)?.node) }))
  const common = (members[0]?.rows ?? []).filter((row) => members.every(({ rows }) => rows.some((other) => isSameRow(row, other))))
  const lines = members.map((member) => {
    const [tag, ...own] = member.rows.filter((row) => !common.some((one) => isSameRow(one, row)))
    return [`${code(tag?.field ?? '')}: ${tag?.type ?? ''}`, own.map(({ field, optional, type, note }) => `${code(optional ? `${field}?` : field)}: ${type}${note === '' ? '' : `, ${cell(note)}`}`).join('<br>'), cell(member.note)]
  })
  return [`### ${name}`, ...intro, 'One of:', table(['which', 'its fields', 'meaning'], lines), ...(common.length === 0 ? [] : ['and in each of them:', tableOf(common)])].join('\n\n')
}

const isSameRow = (a: Row, b: Row): boolean => a.field === b.field && a.type === b.type && a.optional === b.optional

export const protocolPage = async (): Promise<string> => {
  const contracts = await findContracts()
  const named = await namedCodecs()
  const own = new Map(named.map(({ codec, name }) => [codec, name]))
  const names: Names = new Map([...contracts.toReversed().filter(({ contract }) => !own.has(contract.codec)).map(({ contract }) => [contract.codec, contract.schema] as const), ...own])
  const order = Object.keys(guides)
  const messages = contracts.toSorted((a, b) => order.indexOf(a.contract.schema) - order.indexOf(b.contract.schema))
  const used = named.filter(({ codec }) => !contracts.some(({ contract }) => contract.codec === codec && !own.has(codec)))
  return `# Protocol

What Syncline says on NATS. This page is made from \`libs/contracts\`; after a change there, \`node docs/tools/protocol.ts\`
writes it again.

## How messages are said and heard

- Bodies are JSON in UTF-8. Times are milliseconds since the epoch unless said otherwise. An empty body on \`request.1\`,
  \`trigger-question.1\` and \`api-question.1\` means \`{}\`.
- Headers: \`Syncline-Schema\` names the message and its version; \`traceparent\` (W3C) ties it to the trace of its sync;
  \`Nats-Msg-Id\` lets the server drop a repetition within the stream's window.
- Exact when speaking: a field that the message does not name is never said. Tolerant when listening: such a field is
  ignored. So a field may be added to a version; anything else is a new version or a new message.
- What cannot be decoded is not dropped: from a stream it becomes a dead letter with the report, a question is answered
  with what is wrong with it.
- For each message there is an example with every field: \`test/libs/contracts/golden/<message>.json\`.

## Streams

${table(['stream', 'subjects', 'kept', 'messages per subject', 'repetitions dropped within'], streamRows)}

Not in any stream: triggers, control, progress, the resolver's and the tracker's questions, alerts.

## Consumers

Durable, pulled, acknowledged one by one; made by \`syncline provision\`, never by a service.

${table(['durable', 'stream', 'subjects', 'redelivered after', 'deliveries', 'unacknowledged at once', 'for'], consumerRows)}

## Buckets

${table(['bucket', 'versions', 'settings', 'holds'], bucketRows)}

## Messages

A field with \`?\` may be left out.

${messages.map(messageSection(names)).join('\n\n')}

## Types

${used.map(typeSection(names)).join('\n\n')}
`
}

if (import.meta.main) writeFileSync(pagePath, await protocolPage())

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { counters, histograms, labels, logEvents, spans } from '#libs/telemetry/events.ts'
import { facts } from '#libs/telemetry/facts.ts'

const root = join(import.meta.dirname, '../../..')

type Said = { readonly where: string; readonly event: string; readonly facts: ReadonlyArray<string> }

/**
 * Every `log.info('event', { fact: … })` of the program, whatever the log is called as long as its name ends in "log",
 * and every effect `{ event: 'event', facts: { fact: … } }` that becomes one.
 */
const saidIn = (file: string): ReadonlyArray<Said> => {
  const said: Said[] = []
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const note = (node: ts.Node, event: ts.Node | undefined, given: ts.Node | undefined): void => {
    if (event === undefined || !ts.isStringLiteral(event)) return
    const properties = given !== undefined && ts.isObjectLiteralExpression(given) ? given.properties : []
    const where = `${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
    said.push({ where, event: event.text, facts: properties.flatMap((property) => property.name?.getText() ?? []) })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: on, name } = node.expression
      if (/log$/i.test(on.getText()) && ['debug', 'info', 'warn', 'error'].includes(name.text)) note(node, node.arguments[0], node.arguments[1])
    } else if (ts.isObjectLiteralExpression(node)) {
      const valueOf = (wanted: string) => node.properties.filter(ts.isPropertyAssignment).find(({ name }) => name.getText() === wanted)?.initializer
      if (valueOf('facts') !== undefined) note(node, valueOf('event'), valueOf('facts'))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return said
}

describe('every log line of the program', () => {
  const said = globSync('{libs,services,cli}/**/*.ts', { cwd: root }).flatMap(saidIn)

  it('has a name of the catalogue', () => {
    expect(said.length).toBeGreaterThan(5)
    expect(said.filter(({ event }) => !Object.hasOwn(logEvents, event)).map(({ where, event }) => `${where} ${event}`)).toEqual([])
  })

  it('says only facts of the allow-list', () => {
    const unknown = said.flatMap(({ where, facts: names }) => names.filter((name) => !Object.hasOwn(facts, name)).map((name) => `${where} ${name}`))
    expect(unknown).toEqual([])
  })
})

describe('the names of the catalogue', () => {
  it('are made alike', () => {
    for (const name of [...Object.keys(spans), ...Object.keys(logEvents)]) expect(name).toMatch(/^[a-z-]+\.[a-z-]+$/)
    for (const name of [...Object.keys(counters), ...Object.keys(histograms)]) expect(name).toMatch(/^syncline(\.[a-z_]+)+$/)
    for (const name of Object.keys(facts)) expect(name).toMatch(/^[a-z][A-Za-z]*$/)
  })

  it('keep labels few-valued: nothing that names one connection, run or item', () => {
    for (const label of ['conn', 'run', 'flow', 'item', 'key', 'worker', 'owner']) expect(labels).not.toContain(label)
  })

  it('name only labels that exist', () => {
    const told = [...Object.values(counters), ...Object.values(histograms)].flatMap((meaning) => /labels (.*)$/.exec(meaning)?.[1]?.split(', ') ?? [])
    expect(told.filter((label) => !(labels as ReadonlyArray<string>).includes(label))).toEqual([])
  })
})

const table = (names: Readonly<Record<string, string>>): string =>
  ['| name | meaning |', '|---|---|', ...Object.entries(names).map(([name, meaning]) => `| \`${name}\` | ${meaning.replaceAll('<', '&lt;')} |`)].join('\n')

const page = `# Telemetry

How Syncline can be watched. The tables are made from \`libs/telemetry/events.ts\` and \`libs/telemetry/facts.ts\`; after a
change there, \`npx vitest run test/libs/telemetry/events.test.ts -u\` writes this page again.

## Turning it on

Off by default: nothing is loaded and nothing is sent. The standard variables turn it on, for each service alone and for
\`syncline up\`, where the services keep their own names:

- \`OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\`: traces and metrics to an OTLP collector;
- \`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://127.0.0.1:4318/v1/traces\`: traces alone, which is right for Jaeger;
- \`OTEL_TRACES_EXPORTER=console\`: traces on standard output; \`OTEL_METRICS_EXPORTER=prometheus\`: metrics to be scraped;
- \`OTEL_SDK_DISABLED=true\`: off, whatever else is set.

Protocol, headers, sampling, batching and resource attributes follow \`OTEL_EXPORTER_OTLP_PROTOCOL\`,
\`OTEL_EXPORTER_OTLP_HEADERS\`, \`OTEL_TRACES_SAMPLER\`, \`OTEL_BSP_*\` and \`OTEL_RESOURCE_ATTRIBUTES\`. \`service.name\` is
\`syncline-<service>\` unless \`OTEL_SERVICE_NAME\` says another. When nothing listens, one warning per five minutes says so,
and stopping a service waits at most two seconds for the rest.

A trace id exists with telemetry off too: messages carry \`traceparent\`, logs and results carry \`traceId\`.

## Spans

One trace per sync: the tick or request is the root.

${table(spans)}

## Metrics

Counters:

${table(counters)}

Histograms, in seconds:

${table(histograms)}

Labels: ${labels.map((label) => `\`${label}\``).join(', ')}. None of them names a connection: ask \`syncline status\` for one.

## Log lines

JSON by pino, or one line each for a terminal with \`SYNCLINE_LOG_FORMAT=pretty\`; \`SYNCLINE_LOG_LEVEL\` is \`debug\`, \`info\`, \`warn\` or \`error\`.

${table(logEvents)}

## Facts

The only things that logs and spans may say. In logs any other name is printed as \`[withheld]\`; on spans it is left out,
and the names stand behind \`syncline.\`, as in \`syncline.conn\`. Errors are reduced to name, message and code; user,
password and query are taken out of every address, and the values of what is named like a credential out of every text.

${table(facts)}
`

describe('docs/telemetry.md', () => {
  it('lists the catalogue as it is', async () => {
    await expect(page).toMatchFileSnapshot(join(root, 'docs/telemetry.md'))
  })
})

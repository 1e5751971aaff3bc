/** Knows how a nats-server's configuration is written. Does not start anything. */

export type NatsServerConfig = {
  readonly host: string
  readonly port: number
  readonly storeDir: string
  readonly name?: string
  readonly monitorPort?: number
  /** "always", or a time like "10s". Not given: two minutes, which survives a crash of the process, not of the machine. */
  readonly syncInterval?: string
  readonly cluster?: { readonly name: string; readonly port: number; readonly routes: ReadonlyArray<string> }
  /** Written as it is: users and permissions, TLS. */
  readonly extra?: string
}

export const configText = (config: NatsServerConfig): string =>
  [
    `server_name: ${quoted(config.name ?? 'syncline')}`,
    `listen: ${quoted(`${config.host}:${config.port}`)}`,
    ...(config.monitorPort === undefined ? [] : [`http: ${quoted(`${config.host}:${config.monitorPort}`)}`]),
    'jetstream {',
    `  store_dir: ${quoted(config.storeDir)}`,
    ...(config.syncInterval === undefined ? [] : [`  sync_interval: ${config.syncInterval}`]),
    // the default of 50 open batches is a ceiling over all workers together (NATS.md §4.3)
    '  limits { batch { max_inflight_per_stream: 500, max_inflight_total: 2000 } }',
    '}',
    ...(config.cluster === undefined
      ? []
      : [
          `cluster {`,
          `  name: ${quoted(config.cluster.name)}`,
          `  listen: ${quoted(`${config.host}:${config.cluster.port}`)}`,
          `  routes: [${config.cluster.routes.map(quoted).join(', ')}]`,
          '}',
        ]),
    ...(config.extra === undefined ? [] : [config.extra]),
    '',
  ].join('\n')

const quoted = (text: string): string => JSON.stringify(text)

import { defineConfig } from 'vitest/config'

// SYNCLINE_TEST_JSON: a file for the machine-readable report, beside what the terminal shows.
const report = process.env['SYNCLINE_TEST_JSON']

const stories = ['test/stories/**/*.test.ts', 'test/chaos/**/*.test.ts']
/** Random drives, whose outcome the machine's own timing has a say in. */
const onlyDeep = process.env['SYNCLINE_DEEP'] === '1' ? [] : ['test/chaos/mutants-random.test.ts']
const shared = {
  // They only end what hangs: on a busy machine everything takes ten times as long, initdb of a real PostgreSQL too.
  testTimeout: 300_000,
  hookTimeout: 300_000,
  pool: 'forks' as const, // a crash or a leaked handle stays in its own process
}

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'units', include: ['test/**/*.test.ts'], exclude: stories, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // A story is half a dozen processes with leases that run out: it gets the machine for itself.
      { test: { ...shared, name: 'stories', include: stories, exclude: onlyDeep, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
    ...(report === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json: report } }),
  },
})

import { defineConfig } from 'vitest/config'

// SYNCLINE_TEST_JSON: a file for the machine-readable report, beside what the terminal shows.
const report = process.env['SYNCLINE_TEST_JSON']

const stories = ['test/stories/**/*.test.ts', 'test/chaos/**/*.test.ts']
const shared = {
  testTimeout: 20_000, // a real server may be starting beside it
  hookTimeout: 60_000, // initdb of a real PostgreSQL on a slow disk
  pool: 'forks' as const, // a crash or a leaked handle stays in its own process
}

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'units', include: ['test/**/*.test.ts'], exclude: stories, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // A story is half a dozen processes with leases that run out: it gets the machine for itself.
      { test: { ...shared, name: 'stories', include: stories, testTimeout: 60_000, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
    ...(report === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json: report } }),
  },
})

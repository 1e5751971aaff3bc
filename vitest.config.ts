import { defineConfig } from 'vitest/config'

// SYNCLINE_TEST_JSON: a file for the machine-readable report, beside what the terminal shows.
const report = process.env['SYNCLINE_TEST_JSON']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000, // a real server may be starting beside it
    hookTimeout: 60_000, // initdb of a real PostgreSQL on a slow disk
    pool: 'forks', // a crash or a leaked handle stays in its own process
    maxWorkers: 2,
    ...(report === undefined ? {} : { reporters: ['default', 'json'], outputFile: { json: report } }),
  },
})

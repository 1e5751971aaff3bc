// Knows how to say in one plain line what a vitest JSON report holds: "N passed, N failed, N skipped". Ends with 1 when
// a test failed or was skipped, or when there is no report: then nothing is known, which is not the same as nothing bad.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import process from 'node:process'

const report = read(process.argv[2])
const files = report?.testResults ?? []
const all = files.flatMap((file) =>
  file.assertionResults.map((test) => ({ status: test.status, name: `${relative('.', file.name)}: ${test.fullName}`, foreign: test.meta?.doesNotApply !== undefined })),
)
// Laws about something a connector does not have are not tests of it; tests that lack a component are, and are counted.
const tests = all.filter(({ foreign }) => !foreign)
if (all.length > tests.length) console.log(`${all.length - tests.length} laws do not apply to the connectors they were offered to`)
const passed = tests.filter(({ status }) => status === 'passed')
const skipped = tests.filter(({ status }) => ['skipped', 'pending', 'todo', 'disabled'].includes(status))
const failed = tests.filter((test) => !passed.includes(test) && !skipped.includes(test))
// A file that could not even be loaded, or whose hooks failed, has no failed test of its own but is no success either.
const broken = files
  .filter((file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
  .map((file) => ({ name: `${relative('.', file.name)}: ${(file.message || 'failed outside its tests').split('\n')[0]}` }))

for (const { name } of [...failed, ...broken]) console.log(`failed: ${name}`)
for (const { name } of skipped) console.log(`skipped, and nothing may be skipped here: ${name}`)
const failures = failed.length + broken.length + (report === undefined || tests.length === 0 ? 1 : 0)
if (report?.success === false && failures === 0) console.log('failed: the run as a whole, outside every test')
const unexplained = report?.success === false && failures === 0 ? 1 : 0
process.exitCode = failures + unexplained + skipped.length > 0 ? 1 : 0
console.log(`${passed.length} passed, ${failures + unexplained} failed, ${skipped.length} skipped`)

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    console.log(`failed: no test report (${error.message})`)
    return undefined
  }
}

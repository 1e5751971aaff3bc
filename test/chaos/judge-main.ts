/** `node test/chaos/judge-main.ts FILE`: judges a history that was kept, again. */
import { check } from './checker/check.ts'
import { tell } from './checker/tell.ts'
import { readHistory } from './history.ts'

const verdict = check(readHistory(...process.argv.slice(2)))
process.stdout.write(`${tell(verdict)}\n`)
process.exitCode = verdict.verdict === 'ok' ? 0 : 1

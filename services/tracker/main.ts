/** Runs one tracker as a process of its own. */
import { serviceProcess } from '#libs/process/service-process.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { service } from './start.ts'

process.exitCode = await serviceProcess(service, process.argv, process.env, packageJson.version)

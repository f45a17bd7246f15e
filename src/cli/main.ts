import { run } from './run.ts'

// A reader such as `head` that has seen enough is no fault.
process.stdout.on('error', error => { process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1) })

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  // Opened when it is asked for: most verbs read nothing.
  get in () {
    return { stream: process.stdin, isTerminal: process.stdin.isTTY === true, questions: process.stderr }
  },
  out: line => { process.stdout.write(`${line}\n`) },
  err: line => { process.stderr.write(`${line}\n`) },
})

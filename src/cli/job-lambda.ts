import { run } from './run.ts'

interface JobEvent { readonly command: readonly string[] }

/**
 * A step of a workflow as an AWS Lambda function: the same words as on a command line, without `modelport`.
 *
 * @returns what the step has printed
 * @throws Error with what it has complained of
 */
export async function handler (event: unknown): Promise<{ out: string[] }> {
  const { command } = checked(event)
  const out: string[] = []
  const complaints: string[] = []
  const code = await run(command, {
    env: process.env,
    out: line => {
      out.push(line)
      // console.log would put a time in front, and lines of JSON would be none for CloudWatch.
      process.stdout.write(`${line}\n`)
    },
    err: line => {
      complaints.push(line)
      process.stderr.write(`${line}\n`)
    },
  })
  if (code !== 0) throw new JobFailed(complaints.slice(-3).join('\n'))
  return { out }
}

/** Step Functions knows errors by their names. */
class JobFailed extends Error {
  override readonly name = 'JobFailed'
}

/** Whoever may call the function may run steps of jobs, and no other command. */
function checked (event: unknown): JobEvent {
  const { command } = (event ?? {}) as Partial<JobEvent>
  const isList = Array.isArray(command) && command.every(word => typeof word === 'string')
  if (!isList || command[0] !== 'job') throw new JobFailed('the event must be {"command": ["job", …]}: the words behind modelport')
  return { command }
}

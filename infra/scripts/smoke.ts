import { setTimeout as sleep } from 'node:timers/promises'
import { aws, outputOf, type Target } from '../cli/aws.ts'
import { environmentOf } from '../cli/environment.ts'
import { Misuse, numberOf, Refusal, type Terminal, verbOf } from '../cli/program.ts'
import { Shell } from '../cli/shell.ts'
import { entranceOf } from '../cli/stacks.ts'
import { signToken } from '../cli/token.ts'
import { call, type Service } from '../smoke/check.ts'
import { checks } from '../smoke/checks.ts'

const help = `
Usage: npm run smoke -- URL | --environment NAME [--token TOKEN | --no-token] [--model NAME] [--wait SECONDS]

Tries a running service, wherever it is, as its callers will: health, refusals without a token, a prediction for the examples of the
model's own manifest, a wrong row, the documents. One line a check; the exit code is 1 if one fails.

  --environment NAME  the address and a token of dev, staging or production, from AWS
  --token TOKEN       with the scope predict (default: the variable TOKEN)
  --no-token          the service asks for none (AUTH=off)
  --model NAME        the model to predict with (default: the one that /predict means)
  --wait SECONDS      wait until it is ready, at most so long (default 0)
  --timeout MS        longest wait for one answer (default 10000)

Example:
  npm run smoke -- --environment dev
  npm run smoke -- http://localhost:8000 --token "$(npx modelport token --sub me --scope predict --ttl 10m)"
`

const options = {
  environment: { type: 'string', short: 'e' },
  token: { type: 'string' },
  'no-token': { type: 'boolean', default: false },
  model: { type: 'string' },
  wait: { type: 'string', default: '0' },
  timeout: { type: 'string', default: '10000' },
} as const

export const verb = verbOf(help, options, async ({ values, positionals }, terminal) => {
  if (positionals.length + (values.environment === undefined ? 0 : 1) !== 1) throw new Misuse('Which service? One address, such as http://localhost:8000, or --environment NAME')
  const found: Deployed = values.environment === undefined
    ? { address: checkAddress(positionals[0]!) }
    : await deployed(new Shell(terminal, { isDryRun: false }), environmentOf(values.environment))
  const token = values['no-token'] ? undefined : values.token ?? found.token ?? terminal.env.TOKEN
  if (token === undefined && !values['no-token']) throw new Misuse('It needs a token: --token, or the variable TOKEN, or --no-token for a service with AUTH=off')
  const service: Service = {
    url: found.address.replace(/\/+$/, ''),
    timeoutMs: numberOf('timeout', values.timeout, { least: 1, most: 600_000 }),
    ...(token !== undefined && { token }),
    ...(values.model !== undefined && { model: values.model }),
  }
  await waitUntilReady(service, numberOf('wait', values.wait, { least: 0, most: 3600 }) * 1000)
  const failures = await tryAll(service, terminal)
  if (failures > 0) throw new Refusal(`${service.url}: ${failures} of ${checks.length} checks failed.`)
  terminal.out(`${service.url} works.`)
})

interface Deployed {
  readonly address: string
  readonly token?: string
}

function checkAddress (text: string): string {
  if (!/^https?:\/\/[^/]/.test(text)) throw new Misuse(`${JSON.stringify(text)} is not an address: it must begin with http:// or https://`)
  return text
}

/** The address that callers use, and a token where the environment's secret signs them. */
async function deployed (shell: Shell, target: Target): Promise<Deployed> {
  const stack = entranceOf(target.config)
  const address = await outputOf(shell, target, stack, 'Url', 'URL')
  if (target.config.auth.kind !== 'secret') return { address }
  const arn = await outputOf(shell, target, 'Data', 'JwtSecretArn', 'JWT_SECRET_ARN')
  const secret = await shell.read('JWT_SECRET', aws(target, 'secretsmanager', 'get-secret-value', '--secret-id', arn, '--query', 'SecretString', '--output', 'text'),
    'The secret that signs tokens cannot be read: it needs secretsmanager:GetSecretValue. With --token it is not asked for.')
  return { address, token: signToken(secret, 'predict', 'smoke') }
}

/** @returns how many checks failed */
async function tryAll (service: Service, terminal: Terminal): Promise<number> {
  let failures = 0
  for (const { name, needsToken, run } of checks) {
    if (needsToken && service.token === undefined) continue
    const start = performance.now()
    const { ok, text } = await run(service).then(text => ({ ok: true, text }), (error: Error) => ({ ok: false, text: error.message }))
    if (!ok) failures++
    terminal.out(`${ok ? 'ok  ' : 'FAIL'} ${`${Math.round(performance.now() - start)} ms`.padStart(8)}  ${name}: ${text}`)
  }
  return failures
}

async function waitUntilReady (service: Service, waitMs: number): Promise<void> {
  const end = performance.now() + waitMs
  while (performance.now() < end) {
    const ready = await call(service, '/health/ready').then(({ status }) => status === 200, () => false)
    if (ready) return
    await sleep(Math.min(1000, end - performance.now()))
  }
}

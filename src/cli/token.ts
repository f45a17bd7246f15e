import { parseArgs } from 'node:util'
import { signWithConfiguredKey } from '../auth/sign.ts'
import { maxSubjectLength, type Scope, scopes } from '../auth/token.ts'
import { duration } from '../config-kinds.ts'
import { loadConfig } from '../config.ts'
import { UsageError, type Verb } from './verb.ts'

const maxTtlMs = 3650 * 86_400_000

export const token: Verb = {
  name: 'token',
  summary: 'Sign a token for the API',
  help: `Usage: modelport token --sub NAME [--scope SCOPES] [--ttl TIME] [--json]

Signs with JWT_PRIVATE_KEY or JWT_SECRET (or the file that JWT_PRIVATE_KEY_FILE or JWT_SECRET_FILE
names), for JWT_ISSUER and JWT_AUDIENCE where they are set, and prints the token alone.

  --sub NAME      who the token is for: the log names it, the rate limit counts by it
  --scope SCOPES  what it allows: ${scopes.join(', ')}, with spaces between (default: predict)
  --ttl TIME      how long it is valid: 30m, 12h, 7d … (default: 1h)
  --json          print {"token", "subject", "scopes", "expiresAt"}

Example:
  TOKEN=$(modelport token --sub alice --scope "predict metrics" --ttl 12h)
`,
  run: async (args, terminal) => {
    const { subject, granted, ttlMs, json } = readFlags(args)
    const { token, expiresAt } = await signWithConfiguredKey(loadConfig(terminal.env), subject, granted, ttlMs)
    terminal.out(json ? JSON.stringify({ token, subject, scopes: granted, expiresAt }) : token)
  },
}

function readFlags (args: readonly string[]): { subject: string, granted: Scope[], ttlMs: number, json: boolean } {
  const { sub = '', scope = 'predict', ttl = '1h', json = false } = parse(args)
  if (sub === '' || sub.length > maxSubjectLength) throw new UsageError(`--sub must name who the token is for, in 1 to ${maxSubjectLength} characters`)
  return { subject: sub, granted: readScopes(scope), ttlMs: readTtl(ttl), json }
}

function parse (args: readonly string[]): { sub?: string, scope?: string, ttl?: string, json?: boolean } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { sub: { type: 'string' }, scope: { type: 'string' }, ttl: { type: 'string' }, json: { type: 'boolean' } },
    })
    return values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function readScopes (text: string): Scope[] {
  const words = [...new Set(text.split(/[\s,]+/).filter(word => word !== ''))]
  const known = scopes.filter(scope => words.includes(scope))
  if (known.length === 0 || known.length !== words.length) throw new UsageError(`--scope must be one or more of ${scopes.join(', ')}, not ${JSON.stringify(text)}`)
  return known
}

function readTtl (text: string): number {
  const { parse, allowed } = duration()
  try {
    const ttlMs = parse(text)
    if (ttlMs > maxTtlMs) throw new Error('is longer than ten years')
    return ttlMs
  } catch (error) {
    throw new UsageError(`--ttl ${(error as Error).message} (allowed: ${allowed})`)
  }
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { token } from '../../src/cli/token.ts'
import { UsageError } from '../../src/cli/verb.ts'
import { FatalError } from '../../src/errors.ts'
import { securedApp } from '../auth/secured-app.ts'
import { ecPair, edPair, nowSeconds, rsaPair } from '../helpers/keys.ts'

const secret = 'a secret of at least thirty-two bytes'

async function run (args: string[], env: Record<string, string> = { JWT_SECRET: secret }): Promise<string> {
  const lines: string[] = []
  await token.run(args, { env, out: line => { lines.push(line) }, err: line => { throw new Error(`unexpected: ${line}`) } })
  expect(lines).toHaveLength(1)
  return lines[0] ?? ''
}

function part (text: string, i: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(text.split('.')[i] ?? '', 'base64url').toString())
}

test('prints the token alone, good for an hour and for predictions', async () => {
  const signed = await run(['--sub', 'alice'])
  expect(signed).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(part(signed, 0)).toMatchObject({ alg: 'HS256' })
  const { iat, exp, ...rest } = part(signed, 1)
  expect(rest).toEqual({ sub: 'alice', scope: 'predict' })
  expect(Math.abs(Number(iat) - nowSeconds())).toBeLessThan(60)
  expect(Number(exp) - Number(iat)).toBe(3600)
})

test('takes scopes and time from its flags', async () => {
  const { scope, iat, exp } = part(await run(['--sub', 'bob', '--scope', 'metrics predict', '--ttl', '12h']), 1)
  expect(scope).toBe('predict metrics')
  expect(Number(exp) - Number(iat)).toBe(12 * 3600)
})

test('--json prints it for machines', async () => {
  const answer = JSON.parse(await run(['--sub', 'alice', '--json']))
  expect(answer).toMatchObject({ subject: 'alice', scopes: ['predict'] })
  expect(Date.parse(answer.expiresAt) / 1000).toBe(part(answer.token, 1).exp)
})

describe('the server accepts what it signs', () => {
  const rules = { JWT_ISSUER: 'issuer', JWT_AUDIENCE: 'modelport' }

  test.each<[name: string, owner: Record<string, string>, server: Record<string, string>]>([
    ['a secret', { JWT_SECRET: secret }, { JWT_SECRET: secret }],
    ...[rsaPair(), ecPair(), edPair()].map(({ algorithm, privatePem, publicPem }) =>
      [`a private key for ${algorithm}`, { JWT_PRIVATE_KEY: privatePem }, { JWT_PUBLIC_KEY: publicPem }] satisfies [string, object, object]),
  ])('with %s, and the issuer and audience that are set', async (_name, owner, server) => {
    const signed = await run(['--sub', 'alice'], { ...owner, ...rules })
    expect(part(signed, 1)).toMatchObject({ iss: 'issuer', aud: 'modelport' })
    const { call } = await securedApp({ ...server, ...rules })
    expect(await call(signed)).toMatchObject({ status: 200, body: { subject: 'alice' } })
  })

  test('with a key from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'modelport-token-'))
    onTestFinished(() => { rmSync(folder, { recursive: true }) })
    const { privatePem, publicPem } = ecPair()
    writeFileSync(join(folder, 'key.pem'), privatePem)
    const signed = await run(['--sub', 'alice'], { JWT_PRIVATE_KEY_FILE: join(folder, 'key.pem') })
    const { call } = await securedApp({ JWT_PUBLIC_KEY: publicPem })
    expect((await call(signed)).status).toBe(200)
  })
})

describe('is misused, and says how', () => {
  test.each([
    ['no subject', [], '--sub must name'],
    ['an empty subject', ['--sub', ''], '--sub must name'],
    ['an endless subject', ['--sub', 'a'.repeat(256)], '--sub must name'],
    ['an unknown scope', ['--sub', 'alice', '--scope', 'predict everything'], 'one or more of predict, metrics, admin'],
    ['no scope', ['--sub', 'alice', '--scope', ' '], 'one or more of predict, metrics, admin'],
    ['no time', ['--sub', 'alice', '--ttl', 'soon'], '--ttl "soon" is not a time'],
    ['a time without a unit', ['--sub', 'alice', '--ttl', '60'], '--ttl'],
    ['more than ten years', ['--sub', 'alice', '--ttl', '4000d'], '--ttl is longer than ten years'],
    ['an unknown flag', ['--sub', 'alice', '--name', 'x'], '--name'],
    ['a flag without its value', ['--sub'], '--sub'],
    ['a word too many', ['alice'], 'alice'],
  ])('%s', async (_name, args, message) => {
    const misused = run(args)
    await expect(misused).rejects.toThrow(UsageError)
    await expect(misused).rejects.toThrow(message)
  })
})

test('without a key it fails and says what to set', async () => {
  const failed = run(['--sub', 'alice'], {})
  await expect(failed).rejects.toThrow(FatalError)
  await expect(failed).rejects.toThrow('set JWT_PRIVATE_KEY or JWT_SECRET')
})

test('its help names every flag', () => {
  for (const flag of ['--sub', '--scope', '--ttl', '--json']) expect(token.help).toContain(flag)
})

import { createHmac } from 'node:crypto'

/** A token that the server takes (HS256), good for ten minutes. */
export function signToken (secret: string, scope: string, subject: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: subject, scope, iat: now, exp: now + 600 })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

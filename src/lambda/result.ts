import { isUtf8 } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { AnswerForm } from './event.ts'

/** An answer as HTTP has it. */
export interface HttpAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, number | string | string[] | undefined>>
  readonly rawPayload: Buffer
}

/** An answer as Lambda hands it on. */
export interface LambdaResult {
  readonly statusCode: number
  readonly statusDescription?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly cookies?: readonly string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}

/** Of the whole result as JSON: a larger one becomes the platform's error in place of the answer. */
const maxResultBytes = { 'load-balancer': 1_000_000, 'gateway-1': 6_000_000, 'gateway-2': 6_000_000 } as const satisfies Record<AnswerForm['sender'], number>

/** JSON writes a character of a text in six bytes at most. */
const maxEscape = 6

/** These belong to a connection, and there is none. */
const ofConnections = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])

/**
 * @param acceptEncoding  what the caller can read: compressed is only what would be too large as it is
 * @returns undefined where the answer is too large for Lambda however it is written
 */
export function writeResult (answer: HttpAnswer, form: AnswerForm, acceptEncoding: string): LambdaResult | undefined {
  const plain = resultOf(answer, form)
  if (fits(plain, form)) return plain
  if (answer.headers['content-encoding'] !== undefined || !/\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(acceptEncoding)) return undefined
  const headers = { ...answer.headers, 'content-encoding': 'gzip', vary: [answer.headers['vary'] ?? [], 'accept-encoding'].flat().join(', ') }
  const packed = resultOf({ ...answer, headers, rawPayload: gzipSync(answer.rawPayload) }, form)
  return fits(packed, form) ? packed : undefined
}

/** In MB, for people. */
export function maxResultMb ({ sender }: AnswerForm): number {
  return maxResultBytes[sender] / 1e6
}

function fits (result: LambdaResult, { sender }: AnswerForm): boolean {
  const max = maxResultBytes[sender]
  return result.body.length * maxEscape < max / 2 || Buffer.byteLength(JSON.stringify(result)) <= max
}

function resultOf ({ statusCode, headers, rawPayload }: HttpAnswer, form: AnswerForm): LambdaResult {
  // A type says little: whatever is text crosses as text, and everything else as base64.
  const isBase64Encoded = !isUtf8(rawPayload)
  const body = rawPayload.toString(isBase64Encoded ? 'base64' : 'utf8')
  const fields = Object.entries(headers)
    .filter(([name, value]) => value !== undefined && !ofConnections.has(name))
    .map(([name, value]): [string, string[]] => [name, Array.isArray(value) ? value : [`${value}`]])
  const status = form.sender === 'load-balancer' ? { statusDescription: `${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim() } : {}
  return { statusCode, ...status, ...headersOf(fields, form), body, isBase64Encoded }
}

function headersOf (fields: [string, string[]][], { sender, manyHeaders }: AnswerForm): Pick<LambdaResult, 'headers' | 'multiValueHeaders' | 'cookies'> {
  if (manyHeaders) return { multiValueHeaders: Object.fromEntries(fields) }
  const cookies = sender === 'gateway-2' ? fields.find(([name]) => name === 'set-cookie')?.[1] : undefined
  const others = cookies === undefined ? fields : fields.filter(([name]) => name !== 'set-cookie')
  return { headers: Object.fromEntries(others.map(([name, values]) => [name, values.join(', ')])), ...(cookies && { cookies }) }
}

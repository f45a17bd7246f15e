import { createInterface } from 'node:readline/promises'
import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import type { Value } from '../row.ts'
import { compileCheck } from '../schemas/check-value.ts'
import type { TerminalInput } from './verb.ts'

/**
 * Asks for one row, feature by feature; what the model would refuse is asked again.
 *
 * @throws FatalError when the input ends before the row is complete
 */
export async function promptRow (features: readonly Feature[], { stream, questions }: TerminalInput): Promise<Record<string, Value>> {
  const lines = createInterface({ input: stream, output: questions })
  // From the start: what is pasted arrives before it is asked for.
  const answers = lines[Symbol.asyncIterator]()
  const row: Record<string, Value> = {}
  let ended = false
  lines.once('close', () => { ended = true })
  const show = (question: string): void => {
    // Lines that were pasted wait here still, but a closed interface prompts no more (Node 24 throws).
    if (ended) {
      questions.write(question)
    } else {
      lines.setPrompt(question)
      lines.prompt()
    }
  }
  try {
    for (const feature of features) {
      row[feature.name] = await askFor(feature, async question => {
        show(question)
        const { value, done } = await answers.next()
        if (done === true) throw new FatalError(`the input ended before ${feature.name}`)
        return value
      }, line => { questions.write(`${line}\n`) })
    }
    return row
  } finally {
    lines.close()
  }
}

async function askFor (feature: Feature, ask: (question: string) => Promise<string>, complain: (line: string) => void): Promise<Value> {
  const check = compileCheck(feature)
  const question = questionFor(feature)
  for (;;) {
    const value = parseAnswer((await ask(question)).trim(), feature)
    const fault = value instanceof Error ? value.message : check(value)
    if (fault === undefined) return value as Value
    complain(`  ${fault}`)
  }
}

/** `plan (string; one of basic, pro) [pro]: ` */
export function questionFor (feature: Feature): string {
  const { name, type, unit, enum: members, example, required } = feature
  const about = [
    unit === undefined ? type : `${type}, ${unit}`,
    ...(members === undefined ? limitsOf(feature) : [`one of ${members.join(', ')}`]),
    ...(required === false ? [example === undefined ? 'optional' : 'optional: null for none'] : []),
  ]
  return `${name} (${about.join('; ')})${example === undefined ? '' : ` [${example}]`}: `
}

function limitsOf ({ minimum, maximum }: Feature): string[] {
  if (minimum !== undefined && maximum !== undefined) return [`${minimum} to ${maximum}`]
  if (minimum !== undefined) return [`at least ${minimum}`]
  return maximum === undefined ? [] : [`at most ${maximum}`]
}

const truths: ReadonlyMap<string, boolean> = new Map([['true', true], ['false', false]])

/** Nothing typed is the example, or missing where there is none. */
function parseAnswer (text: string, { type, example, required }: Feature): Value | undefined | Error {
  if (text === '') return example ?? (required === false ? null : undefined)
  if (text === 'null' && required === false) return null
  if (type === 'string') return text
  if (type === 'boolean') return truths.get(text.toLowerCase()) ?? new Error('must be true or false')
  const value = Number(text)
  return Number.isFinite(value) && /^[-+.\d]/.test(text) && !/^0[box]/i.test(text) ? value : new Error(`must be a number, not ${JSON.stringify(text)}`)
}

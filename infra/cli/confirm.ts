import { createInterface } from 'node:readline'
import { Refusal } from './program.ts'

/**
 * Goes on only if the person types `answer`.
 *
 * @throws Refusal if another answer comes, or if nobody is there to give one
 */
export async function confirm (question: string, answer: string): Promise<void> {
  process.stdout.write(`${question} `)
  const lines = createInterface({ input: process.stdin })
  try {
    const { value, done } = await lines[Symbol.asyncIterator]().next()
    if (done) throw new Refusal('\nNobody answered. Nothing was done.')
    if (value.trim() !== answer) throw new Refusal('Nothing was done.')
  } finally {
    lines.close()
  }
}

import { createInterface } from 'node:readline'
import { Refusal, type Terminal } from './program.ts'

/**
 * Goes on only if the person types `answer`.
 *
 * @throws Refusal if another answer comes, or if nobody is there to give one
 */
export async function confirm ({ out, input }: Terminal, question: string, answer: string): Promise<void> {
  out(question)
  const lines = createInterface({ input })
  try {
    const { value, done } = await lines[Symbol.asyncIterator]().next()
    if (done) throw new Refusal('Nobody answered. Nothing was done.')
    if (value.trim() !== answer) throw new Refusal('Nothing was done.')
  } finally {
    lines.close()
  }
}

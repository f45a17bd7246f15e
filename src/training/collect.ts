import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { setImmediate } from 'node:timers/promises'

/** What is less than this is not worth the search. */
const leastBytes = 16 * 2 ** 20

/**
 * Gives back what earlier models of large data left behind. It lies in shared memory outside of the JavaScript heap, which is small and gives
 * the runtime no reason to look: without this, it would stay until the end of the training.
 *
 * @param bytes  about so many are in question
 */
export async function collectGarbage (bytes: number): Promise<void> {
  if (bytes < leastBytes) return
  // What an awaited function held is let go of in the next turn.
  await setImmediate()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

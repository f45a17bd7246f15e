import type { Session, Tensors } from './graph.ts'

/**
 * A graph after another that makes its inputs. Tensors for the second alone are taken too, and the
 * first is then left out.
 *
 * @throws Error when the first gives nothing that the second takes, or gives it in another type
 */
export function chain (first: Session, second: Session): Session {
  const made = new Set(first.outputs.map(({ name }) => name).filter(name => second.inputs.some(input => input.name === name)))
  refuseMisfit(first, second, made)
  const columns = [...first.inputs, ...second.inputs.filter(({ name }) => !made.has(name) && !first.inputs.some(input => input.name === name))]
  return {
    inputs: second.inputs,
    outputs: second.outputs,
    columns,
    async run (inputs) {
      if (isForSecond(first, second, inputs)) return await second.run(inputs)
      const { outputs, runMs } = await first.run(only(inputs, first.inputs.map(({ name }) => name)))
      const rest = second.inputs.map(({ name }) => name).filter(name => !made.has(name))
      const answer = await second.run({ ...only(inputs, rest), ...only(outputs, [...made]) })
      return { outputs: answer.outputs, runMs: runMs + answer.runMs }
    },
    async release () {
      await Promise.all([first.release(), second.release()])
    },
  }
}

function refuseMisfit (first: Session, second: Session, made: ReadonlySet<string>): void {
  const names = (specs: Session['outputs']) => specs.map(({ name }) => `"${name}"`).join(', ')
  if (made.size === 0) throw new Error(`it gives ${names(first.outputs)}, and the model takes ${names(second.inputs)}`)
  for (const name of made) {
    const given = first.outputs.find(output => output.name === name)?.type
    const taken = second.inputs.find(input => input.name === name)?.type
    if (given !== taken) throw new Error(`it gives "${name}" as ${given}, and the model takes ${taken}`)
  }
}

/** Names alone can tell: where both take the same ones, the first is meant. */
function isForSecond (first: Session, second: Session, inputs: Tensors): boolean {
  return second.inputs.every(({ name }) => name in inputs) && !first.inputs.every(({ name }) => name in inputs)
}

function only (tensors: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.includes(name)))
}

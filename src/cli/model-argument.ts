import { isName, nameRule } from '../artifact/names.ts'
import type { ModelEntry } from '../artifact/store.ts'
import { FatalError } from '../errors.ts'
import { type Terminal, UsageError } from './verb.ts'

/** A model, and which of its versions where one is named. */
export interface ModelArgument { readonly name: string, readonly version: string | undefined }

/**
 * Reads `NAME` or `NAME@VERSION`.
 *
 * @throws UsageError
 */
export function parseModelArgument (text: string): ModelArgument {
  const at = text.indexOf('@')
  const [name, version] = at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
  if (!isName(name)) throw new UsageError(`${JSON.stringify(name)} cannot be the name of a model: it must be ${nameRule}`)
  if (version !== undefined && !isName(version)) throw new UsageError(`${JSON.stringify(version)} cannot be a version: it must be ${nameRule}`)
  return { name, version }
}

/** The model repository: the flag, else MODELS_DIR, else where `serve` looks too. */
export function modelsFolder (flag: string | undefined, { env }: Terminal): string {
  return flag ?? (env['MODELS_DIR'] || './models')
}

/** @throws UsageError when there are several */
export function onlyArgument (positionals: readonly string[]): string | undefined {
  const [first, second] = positionals
  if (second !== undefined) throw new UsageError(`one at a time: ${JSON.stringify(second)} is an argument too many`)
  return first
}

/** @throws FatalError that names those there are */
export function findModel (models: readonly ModelEntry[], name: string): ModelEntry {
  const found = models.find(model => model.name === name)
  if (found === undefined) throw new FatalError(`there is no model "${name}"; the models are ${models.map(model => model.name).join(', ') || 'none'}`)
  return found
}

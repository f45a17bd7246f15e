import Type, { type Static } from 'typebox'
import { ArtifactError } from './artifact-error.ts'
import { parseJson } from './json.ts'

/** aliases.json: names for versions. Only `production` decides anything yet. */
export const AliasesSchema = Type.Record(Type.String(), Type.Union([
  Type.String(),
  Type.Object({ version: Type.String(), weight: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })) }, { additionalProperties: false }),
]))

export type Aliases = Static<typeof AliasesSchema>

/** @throws ArtifactError BAD_ALIASES */
export function parseAliases (bytes: Uint8Array | undefined): Aliases {
  if (bytes === undefined) return {}
  try {
    return parseJson(AliasesSchema, bytes)
  } catch (error) {
    throw new ArtifactError('BAD_ALIASES', `aliases.json: ${(error as Error).message}`)
  }
}

/** The version that an alias names. */
export function aliasTarget (aliases: Aliases, alias: string): string | undefined {
  const target = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined
  return typeof target === 'object' ? target.version : target
}

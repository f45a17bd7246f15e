import { createRequire } from 'node:module'

interface Redocly {
  createConfig: (config: object) => Promise<object>
  lintFromString: (options: { source: string, config: object }) => Promise<{ ruleId: string, message: string, location: { pointer?: string }[] }[]>
}

const require = createRequire(import.meta.url)
// The linter that ReDoc brings along.
const { createConfig, lintFromString } = createRequire(require.resolve('redoc'))('@redocly/openapi-core') as Redocly

const rules = [
  'struct', 'no-unresolved-refs', 'no-unused-components', 'no-invalid-media-type-examples', 'no-invalid-schema-examples',
  'operation-operationId-unique', 'operation-operationId-url-safe', 'operation-parameters-unique', 'operation-tag-defined', 'operation-summary',
  'no-identical-paths', 'path-parameters-defined', 'no-server-trailing-slash', 'no-undefined-server-variable', 'security-defined',
]

/** What is wrong with an OpenAPI 3.1 document, one line each. */
export async function lint (document: object): Promise<string[]> {
  const config = await createConfig({ rules: Object.fromEntries(rules.map(rule => [rule, 'error'])) })
  const problems = await lintFromString({ source: JSON.stringify(document), config })
  return problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`)
}

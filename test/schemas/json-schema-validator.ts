import { createRequire } from 'node:module'

export interface Validate {
  (value: unknown): boolean
  errors?: unknown
}

interface Ajv { addSchema: (schema: object, key: string) => Ajv, compile: (schema: object) => Validate }

const require = createRequire(import.meta.url)
// The Ajv that Fastify brings along.
const compilerPath = createRequire(require.resolve('fastify')).resolve('@fastify/ajv-compiler')
const { default: Ajv2020 } = createRequire(compilerPath)('ajv/dist/2020.js') as { default: new (options: object) => Ajv }

/**
 * A second opinion on our schemas: draft 2020-12 in strict mode, where an unknown keyword is an error.
 *
 * @param document what `$ref`s such as `#/components/schemas/…` point into
 */
export function compiler (document: object = {}): (schema: object) => Validate {
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    // A format is a hint here, and the document is no schema as a whole.
    validateFormats: false,
    validateSchema: true,
    allErrors: true,
    keywords: ['x-unit', 'x-range', 'example', 'document'],
  })
  ajv.addSchema({ $id: 'document', document: pointedIntoDocument(document) }, 'document')
  return schema => ajv.compile(pointedIntoDocument(schema))
}

function pointedIntoDocument (schema: object): object {
  return JSON.parse(JSON.stringify(schema, (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? value.replace('#/', 'document#/document/') : value)) as object
}

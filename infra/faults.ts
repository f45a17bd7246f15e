import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** The part of JSON Schema that config.ts uses. */
interface Schema {
  type?: string
  const?: unknown
  enum?: readonly unknown[]
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  pattern?: string
  description?: string
  properties?: Record<string, Schema>
  required?: readonly string[]
  items?: Schema
  anyOf?: readonly Schema[]
}

/** Every fault of a value, as `where: what is allowed`; empty: there is none. JSON Schema's own messages say what is wrong, not what would be right. */
export function faultsOf (schema: TSchema, value: unknown): string[] {
  return faults(schema, value, '')
}

function faults (schema: Schema, value: unknown, path: string): string[] {
  const isRight: boolean = Value.Check(schema, value)
  if (isRight) return []
  if (schema.anyOf && isObject(value)) {
    const fitting = schema.anyOf.find(variant => variant.properties && literalsFit(variant, value))
    if (fitting) return faults(fitting, value, path)
  }
  if (schema.properties && isObject(value)) return objectFaults(schema, value, path)
  if (schema.items && Array.isArray(value)) return value.flatMap((item, index) => faults(schema.items!, item, `${path}/${index}`))
  return [`${path || '/'}: ${JSON.stringify(value)} is not allowed: must be ${allowed(schema)}`]
}

function objectFaults ({ properties = {}, required = [] }: Schema, value: Record<string, unknown>, path: string): string[] {
  const unknown = Object.keys(value).filter(name => !Object.hasOwn(properties, name)).map(name => `${path}/${name}: is unknown: the names here are ${Object.keys(properties).join(', ')}`)
  const known = Object.entries(properties).flatMap(([name, schema]) => {
    if (value[name] === undefined) return required.includes(name) ? [`${path}/${name}: is missing: must be ${allowed(schema)}`] : []
    return faults(schema, value[name], `${path}/${name}`)
  })
  return [...unknown, ...known]
}

/** Whether the constants by which variants differ are this one's. */
function literalsFit ({ properties = {} }: Schema, value: Record<string, unknown>): boolean {
  return Object.entries(properties).every(([name, schema]) => schema.const === undefined || schema.const === value[name])
}

function allowed (schema: Schema): string {
  if (schema.anyOf) return schema.anyOf.map(allowed).join(', or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum) return `one of ${schema.enum.map(value => JSON.stringify(value)).join(', ')}`
  if (schema.properties) return `an object with ${objectNames(schema)}`
  if (schema.items) return 'a list'
  if (schema.description) return schema.description
  switch (schema.type) {
    case 'boolean': return 'true or false'
    case 'integer': return `a whole number ${range(schema)}`.trim()
    case 'number': return `a number ${range(schema)}`.trim()
    default: return schema.pattern ? `text that matches ${schema.pattern}` : 'text'
  }
}

function objectNames ({ properties = {}, required = [] }: Schema): string {
  return required.map(name => (properties[name]?.const === undefined ? name : `${name} ${JSON.stringify(properties[name].const)}`)).join(', ')
}

function range ({ minimum, maximum, exclusiveMinimum }: Schema): string {
  return [
    ...(minimum === undefined ? [] : [`from ${minimum}`]),
    ...(exclusiveMinimum === undefined ? [] : [`above ${exclusiveMinimum}`]),
    ...(maximum === undefined ? [] : [`to ${maximum}`]),
  ].join(' ')
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import type { TLocalizedValidationError } from 'typebox/error'
import { Settings } from 'typebox/system'
import type { TSchema } from 'typebox'
import Value from 'typebox/value'

// Eight unless told: less than one wrong step gives, since it is held against every kind of step.
Settings.Set({ maxErrors: 1000 })

type ShapeError = TLocalizedValidationError
interface ShapeFault { path: string, message: string }

/**
 * What keeps a value from having a shape, in words for whoever wrote the file. Of several forms that
 * are allowed somewhere, the one that the value comes nearest to is told, not all of them.
 *
 * @returns texts that begin with a JSON pointer
 */
export function shapeFaults (schema: TSchema, value: unknown): string[] {
  return faultsOf(Value.Errors(schema, value)).map(({ path, message }) => `${path || '/'} ${message}`)
}

function faultsOf (errors: readonly ShapeError[]): ShapeFault[] {
  const choices = errors.filter(error => error.keyword === 'anyOf')
  const outer = new Set<ShapeError>(choices.filter(choice => !choices.some(other => isWithin(choice, other))))
  return errors
    // Each surplus field is told by itself, as `boolean`: its schema is false.
    .filter(error => error.keyword !== 'additionalProperties' && !choices.some(choice => isWithin(error, choice)))
    .flatMap(error => outer.has(error) ? faultsOfChoice(error, errors) : [{ path: error.instancePath, message: messageOf(error) }])
}

function isWithin (error: ShapeError, choice: ShapeError): boolean {
  return error.schemaPath.startsWith(`${choice.schemaPath}/anyOf/`) && `${error.instancePath}/`.startsWith(`${choice.instancePath}/`)
}

function faultsOfChoice (choice: ShapeError, errors: readonly ShapeError[]): ShapeFault[] {
  const branches = new Map<string, ShapeError[]>()
  for (const error of errors.filter(error => isWithin(error, choice))) {
    const [branch = ''] = error.schemaPath.slice(`${choice.schemaPath}/anyOf/`.length).split('/', 1)
    branches.set(branch, [...branches.get(branch) ?? [], error])
  }
  const faults = [...branches.values()].map(faultsOf)
  const fewest = Math.min(...faults.map(list => list.length))
  const nearest = faults.filter(list => list.length === fewest)
  // A fault within is nearer than one of the whole, such as its type.
  const within = nearest.filter(list => list.every(({ path }) => path !== choice.instancePath))
  return merged(within.length > 0 ? within : nearest)
}

/** The faults of forms that are equally near: those in common, and what each asks for in one sentence. */
function merged (forms: readonly (readonly ShapeFault[])[]): ShapeFault[] {
  const [first = []] = forms
  const common = first.filter(fault => forms.every(form => form.some(other => isSame(other, fault))))
  const others = forms.flatMap(form => form.filter(fault => !common.some(other => isSame(other, fault))))
  const [{ path } = { path: '' }] = others
  if (others.length === 0) return common
  const isOnePlace = others.every(fault => fault.path === path)
  return [...common, { path, message: isOnePlace ? oneOf(others.map(({ message }) => message)) : 'has none of the forms that are allowed here' }]
}

function isSame (a: ShapeFault, b: ShapeFault): boolean {
  return a.path === b.path && a.message === b.message
}

/** "must be a number or a string" of "must be a number" and "must be a string". */
function oneOf (messages: readonly string[]): string {
  const [first = '', ...more] = new Set(messages)
  const begin = /^must (be|have) /.exec(first)?.[0] ?? ''
  return [first, ...more.map(message => message.startsWith(begin) ? message.slice(begin.length) : message)].join(' or ')
}

function messageOf ({ keyword, params, message }: ShapeError): string {
  switch (keyword) {
    case 'boolean': return 'is not a known field'
    case 'const': return `must be ${JSON.stringify(params.allowedValue)}`
    case 'required': return `must have ${params.requiredProperties.join(', ')}`
    default: return message
  }
}

import { createHash } from 'node:crypto'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Fields = Record<string, Json>

/** What a task has to say; whoever throws a `TaskError` fails as a service does. */
export type TaskHandler = (resource: string, parameters: Fields) => Promise<Json> | Json

export class TaskError extends Error {
  override readonly name: string

  constructor (name: string, cause: string) {
    super(cause)
    this.name = name
  }
}

export interface Execution {
  readonly status: 'SUCCEEDED' | 'FAILED'
  readonly output?: Json
  readonly error?: string
  readonly cause?: string
  /** Names of states, in the order in which they were entered; those of items are not among them. */
  readonly visited: string[]
  /** Seconds that a retry would have waited at most, in order. */
  readonly delays: number[]
}

interface Machine { readonly StartAt: string, readonly States: Record<string, State> }
type State = Fields & { readonly Type: string }

interface Options { readonly name?: string, readonly readItems?: (bucket: string, key: string) => Promise<Json[]> }

/** A part of the States Language in JSONPath, enough for our definitions: anything else is an error, never passed over. */
export async function execute (machine: Machine, input: Json, handle: TaskHandler, { name = 'run-1', readItems = async () => [] }: Options = {}): Promise<Execution> {
  const run = new Run(handle, readItems)
  const { visited, delays } = run
  try {
    const output = await run.all(machine, input, { Execution: { Name: name, StartTime: '2026-11-21T03:00:00.000Z' } }, visited)
    return { status: 'SUCCEEDED', output, visited, delays }
  } catch (error) {
    if (!(error instanceof TaskError)) throw error
    return { status: 'FAILED', error: error.name, cause: error.message, visited, delays }
  }
}

interface Stepped { readonly next: string | undefined, readonly output: Json }

class Run {
  readonly visited: string[] = []
  readonly delays: number[] = []
  readonly #handle: TaskHandler
  readonly #readItems: NonNullable<Options['readItems']>

  constructor (handle: TaskHandler, readItems: NonNullable<Options['readItems']>) {
    this.#handle = handle
    this.#readItems = readItems
  }

  /** @param visited gets the names of the states */
  async all ({ StartAt, States }: Machine, start: Json, context: Fields, visited: string[]): Promise<Json> {
    let data = start
    for (let at: string | undefined = StartAt; at !== undefined;) {
      const state: State | undefined = States[at]
      if (state === undefined) throw new Error(`there is no state ${at}`)
      visited.push(at)
      const { next, output }: Stepped = await this.#step(state, data, context)
      data = output
      at = next
    }
    return data
  }

  async #step (state: State, data: Json, context: Fields): Promise<Stepped> {
    const next = state['End'] === true ? undefined : state['Next'] as string
    switch (state.Type) {
      case 'Pass': return { next, output: placed(state, data, state['Parameters'] === undefined ? data : evaluate(state['Parameters'], data, context)) }
      case 'Wait': return { next, output: data }
      case 'Succeed': return { next: undefined, output: data }
      case 'Fail': throw new TaskError(state['Error'] as string, state['Cause'] as string)
      case 'Choice': return { next: chosen(state, data, context), output: data }
      case 'Task':
      case 'Map': return await this.#work(state, next, data, context)
      default: throw new Error(`the state type ${state.Type} is not known here`)
    }
  }

  async #work (state: State, next: string | undefined, data: Json, context: Fields): Promise<Stepped> {
    try {
      const result = await this.#retried(state, async () => state.Type === 'Map'
        ? await this.#mapped(state, data, context)
        : await this.#handle(state['Resource'] as string, evaluate(state['Parameters'] ?? {}, data, context) as Fields))
      const selected = state['ResultSelector'] === undefined ? result : evaluate(state['ResultSelector'], result, context)
      return { next, output: placed(state, data, selected) }
    } catch (error) {
      const caught = (state['Catch'] as Fields[] | undefined)?.find(({ ErrorEquals }) => matches(ErrorEquals as string[], error))
      if (caught === undefined || !(error instanceof TaskError)) throw error
      return { next: caught['Next'] as string, output: placed(caught, data, { Error: error.name, Cause: error.message }) }
    }
  }

  async #retried (state: State, attempt: () => Promise<Json>): Promise<Json> {
    const tries = new Map<Fields, number>()
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        const retry = (state['Retry'] as Fields[] | undefined)?.find(({ ErrorEquals }) => matches(ErrorEquals as string[], error))
        const count = retry === undefined ? 0 : tries.get(retry) ?? 0
        if (retry === undefined || count >= (retry['MaxAttempts'] as number)) throw error
        tries.set(retry, count + 1)
        this.delays.push(Math.min(retry['MaxDelaySeconds'] as number, (retry['IntervalSeconds'] as number) * (retry['BackoffRate'] as number) ** count))
      }
    }
  }

  async #mapped (state: State, data: Json, context: Fields): Promise<Json> {
    const { ItemReader, ItemSelector, ItemProcessor, ToleratedFailurePercentage = 0 } = state as Fields
    const { Bucket, Key } = evaluate((ItemReader as Fields)['Parameters'] ?? {}, data, context) as { Bucket: string, Key: string }
    const items = await this.#readItems(Bucket, Key)
    let failed = 0
    for (const [i, value] of items.entries()) {
      const selected = evaluate(ItemSelector ?? value, data, { ...context, Map: { Item: { Value: value } } })
      // What a part's execution is called is its own.
      const inner = { ...context, Execution: { Name: `item-${i}` } }
      await this.all(ItemProcessor as unknown as Machine, selected, inner, []).catch((error: unknown) => {
        if (!(error instanceof TaskError)) throw error
        failed++
      })
    }
    if (failed > items.length * (ToleratedFailurePercentage as number) / 100) throw new TaskError('States.ExceedToleratedFailureThreshold', `${failed} of ${items.length} failed`)
    return {}
  }
}

function chosen (state: State, data: Json, context: Fields): string {
  const hit = (state['Choices'] as Fields[]).find(choice => holds(choice, data, context))
  return (hit?.['Next'] ?? state['Default']) as string
}

function matches (names: string[], error: unknown): boolean {
  if (!(error instanceof TaskError)) return false
  return names.includes('States.ALL') || names.includes(error.name) || (names.includes('States.TaskFailed') && error.name !== 'States.Timeout')
}

function placed (state: Fields, data: Json, result: Json): Json {
  if (!('ResultPath' in state)) return result
  if (state['ResultPath'] === null) return data
  const [, member, rest] = /^\$\.(\w+)$/.exec(state['ResultPath'] as string) ?? []
  if (member === undefined || rest !== undefined) throw new Error(`the ResultPath ${JSON.stringify(state['ResultPath'])} is not known here`)
  return { ...data as Fields, [member]: result }
}

function holds (choice: Fields, data: Json, context: Fields): boolean {
  const value = lookUp(choice['Variable'] as string, data, context)
  if ('IsPresent' in choice) return (value !== undefined) === choice['IsPresent']
  if ('NumericEquals' in choice) return value === choice['NumericEquals']
  if ('StringEquals' in choice) return value === choice['StringEquals']
  throw new Error(`the choice ${JSON.stringify(choice)} is not known here`)
}

/** A template: members whose names end in `.$` are paths or intrinsic functions. */
function evaluate (template: Json, data: Json, context: Fields): Json {
  if (Array.isArray(template)) return template.map(item => evaluate(item, data, context))
  if (template === null || typeof template !== 'object') return template
  return Object.fromEntries(Object.entries(template).map(([name, value]) => name.endsWith('.$')
    ? [name.slice(0, -2), expression(value as string, data, context)]
    : [name, evaluate(value, data, context)]))
}

function expression (text: string, data: Json, context: Fields): Json {
  const [value, rest] = term(text.trim(), data, context)
  if (rest.trim() !== '') throw new Error(`${text}: what is ${rest}?`)
  return value
}

/** Reads one value from the beginning of a text. */
function term (text: string, data: Json, context: Fields): [Json, string] {
  const [call, name] = /^States\.(\w+)\(/.exec(text) ?? []
  if (call !== undefined) {
    const args: Json[] = []
    let rest = text.slice(call.length).trimStart()
    while (!rest.startsWith(')')) {
      const [value, after] = term(rest, data, context)
      args.push(value)
      rest = after.trimStart().replace(/^,/, '').trimStart()
    }
    return [intrinsic(name!, args), rest.slice(1)]
  }
  const [quoted] = /^'(?:[^'\\]|\\.)*'/.exec(text) ?? []
  if (quoted !== undefined) return [quoted.slice(1, -1).replaceAll(/\\(.)/g, '$1'), text.slice(quoted.length)]
  const [number] = /^-?\d+/.exec(text) ?? []
  if (number !== undefined) return [Number(number), text.slice(number.length)]
  const [path] = /^\$[\w.$]*/.exec(text) ?? []
  const value = path === undefined ? undefined : lookUp(path, data, context)
  if (path === undefined || value === undefined) throw new TaskError('States.ParameterPathFailure', `${text}: there is nothing in ${JSON.stringify(data)}`)
  return [value, text.slice(path.length)]
}

function intrinsic (name: string, args: Json[]): Json {
  switch (name) {
    case 'Array': return args
    case 'Format': return (args[0] as string).replaceAll('{}', () => String(args.splice(1, 1)[0]))
    case 'StringSplit': return (args[0] as string).split(new RegExp(`[${(args[1] as string).replaceAll(/[\]\\^-]/g, '\\$&')}]`)).filter(part => part !== '')
    case 'ArrayLength': return (args[0] as Json[]).length
    case 'ArrayGetItem': return (args[0] as Json[])[args[1] as number]!
    case 'StringToJson': return JSON.parse(args[0] as string) as Json
    case 'Hash': return createHash((args[1] as string).toLowerCase()).update(args[0] as string).digest('hex')
    default: throw new Error(`States.${name} is not known here`)
  }
}

function lookUp (path: string, data: Json, context: Fields): Json | undefined {
  const [root, ...members] = path.startsWith('$$') ? [context as Json, ...path.split('.').slice(1)] : [data, ...path.split('.').slice(1)]
  return members.reduce<Json | undefined>((value, member) => (value as Fields | undefined | null)?.[member], root)
}

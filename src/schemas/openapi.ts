import type { Manifest } from '../artifact/manifest.ts'
import { type RowManifest, takesRows } from './json-schema.ts'
import { type Components, documentPaths, sharedComponents } from './openapi-components.ts'
import { type Operation, modelComponents, predictOperation } from './openapi-model.ts'
import { type ProtocolRoute, protocolResponses, protocolSchemas, withExamples } from './openapi-protocols.ts'
import type { ErrorShape } from './protocol-errors.ts'

/** A loaded version, as the document shows it. */
export interface DocumentedModel {
  manifest: Manifest
  /** Whether `/predict` means this version's model. */
  isDefault: boolean
  /** Whether this is the version that answers for its model's name. */
  isServing: boolean
}

export interface DocumentOptions {
  /** Whether predictions need a token. */
  auth: boolean
  /** Most rows of one request. */
  maxRows: number
}

/** As much of OpenAPI 3.1 as this module reads or writes. */
export interface OpenApiDocument {
  openapi: string
  info: { title: string, version: string, description?: string }
  servers: { url: string }[]
  tags?: { name: string, description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: Components
}

/** Routes whose concrete forms, one per model, stand in the document instead. */
const predictPaths = ['/predict', '/models/{name}/predict', '/models/{name}/versions/{version}/predict']

interface Served extends Omit<DocumentedModel, 'manifest'> { key: string, tag: string, manifest: RowManifest }

/**
 * The document of everything that is loaded.
 *
 * @param routes what the routes say of themselves; its parametric predictions give way to one per loaded
 *               model and version. Without a model they stay.
 */
export function expandDocument (routes: OpenApiDocument, models: readonly DocumentedModel[], options: DocumentOptions): OpenApiDocument {
  const concrete = models.some(({ manifest }) => takesRows(manifest))
  const others = Object.entries<OpenApiDocument['paths'][string]>({ ...routes.paths, ...documentPaths })
    .filter(([path]) => !concrete || !predictPaths.includes(path))
  const routeTags = [...new Set(others.flatMap(([, item]) => Object.values(item)).flatMap(operation => operation.tags ?? []))]
  const served = keyed(ordered(models), routeTags)
  return {
    openapi: routes.openapi,
    info: { ...routes.info, description: describe(routes.info.description, models) },
    servers: routes.servers,
    tags: [...modelTags(served), ...routeTags.map(name => ({ name }))],
    paths: {
      ...predictionPaths(served, options.auth),
      ...Object.fromEntries(others.map(([path, item]) => [path, completeItem(path, item, models, options.auth)])),
    },
    components: components(routes, served, options),
  }
}

/** The default model first, the others by name, the serving version of each before the others. */
function ordered (models: readonly DocumentedModel[]): DocumentedModel[] {
  return [...models].sort((a, b) =>
    Number(b.isDefault) - Number(a.isDefault) ||
    (a.manifest.name === b.manifest.name ? Number(b.isServing) - Number(a.isServing) : a.manifest.name < b.manifest.name ? -1 : 1))
}

/** Names may contain the separator: a key that is taken gets another one. */
function keyed (models: readonly DocumentedModel[], routeTags: readonly string[]): Served[] {
  const taken = new Set<string>()
  return models.flatMap(model => {
    const { manifest } = model
    if (!takesRows(manifest)) return []
    let key = `${manifest.name}-${manifest.version}`
    while (taken.has(key)) key += '-'
    taken.add(key)
    const tag = routeTags.includes(manifest.name) ? `${manifest.name} (model)` : manifest.name
    return [{ ...model, manifest, key, tag }]
  })
}

function predictionPaths (served: readonly Served[], auth: boolean): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {}
  for (const { manifest, key, tag, isDefault, isServing } of served) {
    const { name, version } = manifest
    const post = (path: string, operationId: string, summary: string, description: string): void => {
      paths[path] = { post: predictOperation(key, tag, auth, { operationId, summary, description: auth ? withScope(description, 'predict') : description }) }
    }
    if (isServing && isDefault) {
      post('/predict', 'predict', `Predict with the default model, ${name}`, `Answered by \`${name}\` ${version}.`)
    }
    if (isServing) {
      post(`/models/${name}/predict`, `predictModel-${name}`, `Predict with ${name}`,
        `Answered by the version in production, else by the latest: ${version} at the moment.`)
    }
    post(`/models/${name}/versions/${version}/predict`, `predictVersion-${key}`, `Predict with ${name} ${version}`,
      ['Always this version.', ...trainingFacts(manifest)].join(' '))
  }
  return paths
}

function components (routes: OpenApiDocument, served: readonly Served[], { auth, maxRows }: DocumentOptions): Components {
  const shapes = Object.values(routes.paths).flatMap(item => Object.values(item)).map((operation: Operation & ProtocolRoute): ErrorShape => operation['x-errors'] ?? 'problem')
  const parts: Components[] = [{ schemas: { ...routes.components.schemas, ...protocolSchemas(new Set(shapes)) } }, sharedComponents(auth), ...served.map(model => modelComponents(model, maxRows))]
  const merge = (kind: keyof Components): Record<string, unknown> => Object.assign({}, ...parts.map(part => part[kind]))
  return {
    schemas: merge('schemas'),
    requestBodies: merge('requestBodies'),
    responses: merge('responses'),
    headers: merge('headers'),
    ...(auth ? { securitySchemes: merge('securitySchemes') } : {}),
  }
}

/** Adds what all routes share: the errors of a route with a scope, and the names that a parameter can have. */
function completeItem (path: string, item: Record<string, Operation>, models: readonly DocumentedModel[], auth: boolean): Record<string, Operation> {
  return Object.fromEntries(Object.entries(item).map(([method, operation]) => [method, {
    operationId: camelCase(`${method} ${path}`),
    ...completeOperation(operation, models, auth),
  }]))
}

function completeOperation (described: Operation & ProtocolRoute, models: readonly DocumentedModel[], auth: boolean): Operation {
  const { security, 'x-errors': shape = 'problem', 'x-request-body': body, 'x-body-examples': examples, ...operation } = described
  const scope = security?.flatMap(schemes => Object.values(schemes).flat())[0]
  const parameters = operation.parameters?.map(parameter => completeParameter(parameter, models))
  const errors = shape === 'problem' ? problems(operation, auth, scope) : protocolResponses(shape, operation, { auth, scope, hasBody: body !== undefined })
  return {
    ...operation,
    ...(body === undefined ? {} : { requestBody: withExamples(body, examples, servingManifests(models)) }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(auth && scope !== undefined ? { description: withScope(operation.description, scope) } : {}),
    security: auth ? security ?? [] : [],
    responses: { ...errors, ...named(operation.responses) },
  }
}

function problems ({ parameters = [] }: Operation, auth: boolean, scope: string | undefined): Operation['responses'] {
  const statuses = [
    ...(auth && scope !== undefined ? [401, 403] : []),
    ...(parameters.some(({ in: place }) => place === 'path') ? [404] : []),
    ...(scope === undefined ? [] : [429]),
  ]
  return Object.fromEntries(statuses.map(status => [status, { $ref: `#/components/responses/Problem${status}` }]))
}

function servingManifests (models: readonly DocumentedModel[]): Manifest[] {
  return ordered(models).flatMap(({ manifest, isServing }) => isServing ? [manifest] : [])
}

/** A route need not describe its answers, the document must: @fastify/swagger says "Default Response" then. */
function named (responses: Operation['responses']): Operation['responses'] {
  return Object.fromEntries(Object.entries(responses).map(([status, response]) => [status, 'description' in response && response.description === 'Default Response'
    ? { ...response, description: status.startsWith('2') ? 'Success' : `Status ${status}` }
    : response]))
}

type Parameter = NonNullable<Operation['parameters']>[number]

function completeParameter (parameter: Parameter, models: readonly DocumentedModel[]): Parameter {
  if (parameter.in !== 'path' || (parameter.name !== 'name' && parameter.name !== 'version')) return parameter
  const key = parameter.name
  const values = [...new Set(ordered(models).map(({ manifest }) => manifest[key]))]
  return values.length === 0 ? parameter : { ...parameter, schema: { type: 'string', enum: values }, example: values[0] }
}

function modelTags (served: readonly Served[]): { name: string, description: string }[] {
  const tags = new Map<string, string>()
  for (const { tag, manifest } of served) {
    if (!tags.has(tag)) tags.set(tag, describeModel(manifest))
  }
  return [...tags].map(([name, description]) => ({ name, description }))
}

function describe (about: string | undefined, models: readonly DocumentedModel[]): string {
  if (models.length === 0) return [about, 'No model is loaded yet.'].filter(Boolean).join('\n\n')
  const rows = ordered(models).map(model => {
    const { name, version, task } = model.manifest
    return `| ${name} | ${version} | ${task} | ${task === 'tensor' ? 'raw tensors only' : `\`${shortestPath(model)}\``} |`
  })
  return [about, ['| Model | Version | Task | Served at |', '|---|---|---|---|', ...rows].join('\n')].filter(Boolean).join('\n\n')
}

function shortestPath ({ manifest: { name, version }, isDefault, isServing }: DocumentedModel): string {
  if (!isServing) return `/models/${name}/versions/${version}/predict`
  return isDefault ? '/predict' : `/models/${name}/predict`
}

function describeModel (manifest: RowManifest): string {
  const { task, description, labels, metrics = {} } = manifest
  const scores = Object.entries(metrics).flatMap(([name, value]) => typeof value === 'number' ? [`${name} ${Number(value.toPrecision(3))}`] : [])
  return [
    description ?? (task === 'classification' ? `Classification into ${labels?.join(', ')}.` : 'Regression.'),
    scores.length > 0 && `Measured: ${scores.join(', ')}.`,
  ].filter(Boolean).join(' ')
}

function trainingFacts ({ createdAt, training = {} }: RowManifest): string[] {
  const { algorithm, dataset, rows } = training
  return [
    typeof algorithm === 'string' ? `Algorithm: ${algorithm}.` : '',
    typeof dataset === 'string' ? `Data: ${dataset}${typeof rows === 'number' ? `, ${rows} rows` : ''}.` : '',
    createdAt === undefined ? '' : `Made at ${createdAt}.`,
  ].filter(Boolean)
}

function camelCase (text: string): string {
  return text.replace(/[^A-Za-z0-9]+(.?)/g, (_, letter: string) => letter.toUpperCase())
}

function withScope (description: string | undefined, scope: string): string {
  return [description, `Scope: \`${scope}\`.`].filter(Boolean).join(' ')
}

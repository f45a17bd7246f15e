import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DocumentedModel, type OpenApiDocument, expandDocument } from '../../src/schemas/openapi.ts'
import { securitySchemes } from '../../src/schemas/openapi-components.ts'
import { compiler } from './json-schema-validator.ts'
import { iris, manifests, mpg, resnet } from './manifests.ts'
import { lint } from './openapi-lint.ts'

const string = { type: 'string' }
const ok = { 200: { description: 'Default Response' } }
const predict = { security: [{ bearer: ['predict'] }] }
const parameters = (...names: string[]) => names.map(name => ({ in: 'path', name, required: true, schema: string }))

/** What the routes say of themselves. */
const routes: OpenApiDocument = {
  openapi: '3.1.0',
  info: { title: 'modelport', version: '1.2.3', description: 'About.' },
  servers: [{ url: '/' }],
  paths: {
    '/health': { get: { tags: ['Health'], summary: 'Liveness', responses: { 200: { description: 'Alive' } } } },
    '/predict': { post: { tags: ['Predictions'], summary: 'Predict', ...predict, responses: ok } },
    '/models/{name}/predict': { post: { tags: ['Predictions'], summary: 'Predict', ...predict, parameters: parameters('name'), responses: ok } },
    '/models/{name}/versions/{version}/predict': { post: { tags: ['Predictions'], summary: 'Predict', ...predict, parameters: parameters('name', 'version'), responses: ok } },
    '/models': { get: { tags: ['Models'], summary: 'All', ...predict, responses: ok } },
    '/models/{name}/versions/{version}': { get: { tags: ['Models'], summary: 'One', ...predict, parameters: parameters('name', 'version'), responses: ok } },
  },
  components: { schemas: {}, securitySchemes },
}

const loaded: DocumentedModel[] = [
  { manifest: mpg, isDefault: false, isServing: true },
  { manifest: { ...iris, version: '0.9.0' }, isDefault: true, isServing: false },
  { manifest: resnet, isDefault: false, isServing: true },
  { manifest: iris, isDefault: true, isServing: true },
]

function documentOf (models: readonly DocumentedModel[] = loaded, options: { auth?: boolean, maxRows?: number } = {}): OpenApiDocument {
  return JSON.parse(JSON.stringify(expandDocument(routes, models, { auth: true, maxRows: 100, ...options }))) as OpenApiDocument
}

function operations (document: OpenApiDocument) {
  return Object.entries(document.paths).flatMap(([path, item]) => Object.values(item).map(operation => ({ path, operation })))
}

describe('the document', () => {
  test('is OpenAPI 3.1 without a fault', async () => {
    expect(await lint(documentOf())).toEqual([])
  })

  test('is so without a token, without a model, and with models of difficult names', async () => {
    const clash = ['1_2', '2', '1-2'].flatMap((version, i) => ({ manifest: { ...iris, name: ['a', 'a-1', 'a'][i] ?? '', version }, isDefault: false, isServing: i > 0 }))
    expect(await lint(documentOf(clash, { auth: false }))).toEqual([])
    // Nothing can refer to what only a prediction needs.
    expect((await lint(documentOf([]))).filter(line => !line.startsWith('no-unused-components'))).toEqual([])
  })

  test('shows each model and version at its own path, the default model first', () => {
    expect(Object.keys(documentOf().paths)).toEqual([
      '/predict',
      '/models/iris/predict',
      '/models/iris/versions/1.0.0/predict',
      '/models/iris/versions/0.9.0/predict',
      '/models/mpg/predict',
      '/models/mpg/versions/2.1.0/predict',
      '/health',
      '/models',
      '/models/{name}/versions/{version}',
      '/docs',
      '/docs/json',
      '/docs/yaml',
      '/redoc',
    ])
  })

  test('groups the operations by model', () => {
    const { tags, paths } = documentOf()
    expect(tags?.map(tag => tag.name)).toEqual(['iris', 'mpg', 'Health', 'Models', 'Documents'])
    expect(tags?.[0]?.description).toBe('Species of an iris. Measured: accuracy 0.967.')
    expect(tags?.[1]?.description).toBe('Regression.')
    expect(paths['/predict']?.['post']?.tags).toEqual(['iris'])
  })

  test('tells of a model without features and gives it no prediction', () => {
    const document = documentOf()
    expect(document.info.description).toContain('| resnet | 3 | tensor | raw tensors only |')
    expect(Object.keys(document.paths).filter(path => path.includes('resnet'))).toEqual([])
  })

  test('keeps the parametric predictions while no model is loaded', () => {
    const document = documentOf([])
    expect(Object.keys(document.paths)).toContain('/models/{name}/predict')
    expect(document.info.description).toBe('About.\n\nNo model is loaded yet.')
  })

  test('has no /predict where there is no default model', () => {
    expect(documentOf([{ manifest: mpg, isDefault: false, isServing: true }]).paths).not.toHaveProperty('/predict')
  })

  test('keeps a model apart from a group of routes of the same name', () => {
    const document = documentOf([{ manifest: { ...iris, name: 'Health' }, isDefault: true, isServing: true }])
    expect(document.tags?.map(tag => tag.name)).toEqual(['Health (model)', 'Health', 'Models', 'Documents'])
  })

  test('keeps versions apart whose names and versions run together', () => {
    const document = documentOf([
      { manifest: { ...iris, name: 'a-1', version: '2' }, isDefault: false, isServing: true },
      { manifest: { ...mpg, name: 'a', version: '1-2' }, isDefault: false, isServing: true },
    ])
    const bodies = ['/models/a/predict', '/models/a-1/predict'].map(path => document.paths[path]?.['post']?.['requestBody'])
    expect(bodies).toEqual([{ $ref: '#/components/requestBodies/a-1-2' }, { $ref: '#/components/requestBodies/a-1-2-' }])
    expect(document.components.schemas['a-1-2-Row']).toHaveProperty('properties.horsepower')
    expect(document.components.schemas['a-1-2--Row']).toHaveProperty('properties.sepal_length')
  })
})

describe('a prediction', () => {
  const { post } = documentOf().paths['/predict'] ?? {}
  const { components } = documentOf() as unknown as { components: Record<string, Record<string, { content: Record<string, { examples: Record<string, { value: unknown }>, example: unknown }> }>> }

  test('opens with a body that is the manifest\'s example', () => {
    const content = components['requestBodies']?.['iris-1.0.0']?.content ?? {}
    expect(Object.keys(content)).toEqual(['application/json', 'text/csv', 'application/x-ndjson'])
    expect(Object.values(content['application/json']?.examples ?? {}).map(example => example.value)).toEqual([
      { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 },
      { features: [5.1, 3.5, 1.4, 0.2] },
      { instances: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }, { sepal_length: 7.9, sepal_width: 7.9, petal_length: 7.9, petal_width: 7.9 }] },
    ])
    expect(content['text/csv']?.example).toBe('sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n7.9,7.9,7.9,7.9\n')
  })

  test('documents every error that it can answer with, the 422 by a feature of the model', () => {
    expect(Object.keys(post?.responses ?? {})).toEqual(['200', '400', '401', '403', '404', '406', '413', '415', '422', '429', '500', '503', '504'])
    const { examples } = components['responses']?.['iris-1.0.0-Invalid']?.content['application/problem+json'] ?? {}
    expect(examples?.['INVALID_INPUT']?.value).toMatchObject({
      type: 'urn:modelport:error:invalid-input',
      status: 422,
      errors: [{ path: '/sepal_length', message: 'must be a number, not a string' }, { path: '/sepal_width' }],
    })
  })

  test('names the scope that it needs, as the other protected routes do', () => {
    expect(post?.security).toEqual([{ bearer: ['predict'] }])
    expect(post?.description).toBe('Answered by `iris` 1.0.0. Scope: `predict`.')
    const get = documentOf().paths['/models']?.['get']
    expect(get?.description).toBe('Scope: `predict`.')
    expect(Object.keys(get?.responses ?? {})).toEqual(['200', '401', '403', '429'])
  })

  test('limits the number of rows as the server does', () => {
    expect(documentOf(loaded, { maxRows: 7 }).components.schemas['iris-1.0.0-Batch']).toHaveProperty('properties.instances.maxItems', 7)
  })
})

test('without authentication nothing asks for a token', () => {
  const document = documentOf(loaded, { auth: false })
  expect(document.components).not.toHaveProperty('securitySchemes')
  for (const { operation } of operations(document)) {
    expect(operation.security).toEqual([])
    expect(Object.keys(operation.responses)).not.toContain('401')
    expect(operation.description ?? '').not.toContain('Scope')
  }
})

test('a path\'s parameters are the names that are loaded', () => {
  const { get } = documentOf().paths['/models/{name}/versions/{version}'] ?? {}
  expect(get?.parameters).toMatchObject([
    { name: 'name', schema: { type: 'string', enum: ['iris', 'mpg', 'resnet'] }, example: 'iris' },
    { name: 'version', schema: { type: 'string', enum: ['1.0.0', '0.9.0', '2.1.0', '3'] }, example: '1.0.0' },
  ])
})

interface Media { schema: object, example?: unknown, examples?: Record<string, { value: unknown }> }

/** Every `{schema, example(s)}` of a document, with its path in it. */
function media (value: unknown, path = ''): { path: string, media: Media }[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value).flatMap(([key, member]) => media(member, `${path}/${key}`))
  return 'schema' in value && ('example' in value || 'examples' in value) ? [{ path, media: value as Media }, ...inner] : inner
}

function expectSoundExamples (document: OpenApiDocument): number {
  const compile = compiler(document)
  const found = media(document).flatMap(({ path, media: { schema, example, examples } }) => {
    const validate = compile(schema)
    const values = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value)
    return values.map(value => ({ path, value, valid: validate(value) }))
  })
  expect(found.filter(({ valid }) => !valid)).toEqual([])
  return found.length
}

test('every example fits its schema', () => {
  expect(expectSoundExamples(documentOf())).toBeGreaterThan(50)
})

test('for any models, examples fit, references lead somewhere and names are allowed', () => {
  const models = fc.uniqueArray(manifests, { selector: ({ name, version }) => `${name}/${version}`, minLength: 1, maxLength: 3 })
  fc.assert(fc.property(models, list => {
    const names = new Set<string>()
    const document = documentOf(list.map(manifest => {
      const isServing = !names.has(manifest.name)
      names.add(manifest.name)
      return { manifest, isDefault: manifest.name === list[0]?.name, isServing }
    }))
    expectSoundExamples(document)
    for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) expect(document).toHaveProperty(pointer.split('/'))
    for (const kind of Object.values(document.components)) {
      for (const key of Object.keys(kind as object)) expect(key).toMatch(/^[A-Za-z0-9._-]+$/)
    }
    const ids = operations(document).map(({ operation }) => operation['operationId'])
    expect(new Set(ids).size).toBe(ids.length)
  }), { numRuns: 15 })
})

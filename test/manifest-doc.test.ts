import { readFileSync } from 'node:fs'
import type { TSchema } from 'typebox'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AliasesSchema } from '../src/artifact/aliases.ts'
import { BaselineSchema } from '../src/artifact/baseline.ts'
import { GoldenSchema, goldenTolerance } from '../src/artifact/golden.ts'
import { type Manifest, ManifestSchema } from '../src/artifact/manifest.ts'
import { PreprocessorSchema } from '../src/preprocess/spec.ts'
import { startApp } from './helpers/app.ts'
import { flowerOnnx, withManifest } from './helpers/models.ts'

const doc = readFileSync(new URL('../docs/manifest.md', import.meta.url), 'utf8')

/** The cells of every table row of a section whose first cell is a code. */
function rowsOf (section: string): string[][] {
  const text = doc.split(/^## /m).find(part => part.startsWith(`${section}\n`)) ?? ''
  return text.split('\n').filter(line => line.startsWith('| `')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim().replace(/^`(.*)`$/, '$1')))
}

interface Schema { properties?: Record<string, TSchema>, patternProperties?: Record<string, TSchema>, items?: TSchema | TSchema[], anyOf?: TSchema[], required?: string[] }

/** Every field of a schema by its path, and whether it is needed. */
function fieldsOf (schema: Schema, path = ''): Map<string, boolean> {
  const fields = new Map<string, boolean>()
  const add = (at: string, child: Schema): void => { for (const [field, needed] of fieldsOf(child, at)) fields.set(field, needed) }
  const below = (name: string): string => path === '' ? name : `${path}.${name}`
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    fields.set(below(name), schema.required?.includes(name) ?? false)
    add(below(name), child)
  }
  for (const child of Object.values(schema.patternProperties ?? {})) add(below('*'), child)
  if (schema.items !== undefined && !Array.isArray(schema.items)) add(`${path}[]`, schema.items)
  for (const branch of schema.anyOf ?? []) add(path, branch)
  return fields
}

describe('docs/manifest.md has every field and no other', () => {
  test.each<[file: string, schema: TSchema]>([
    ['manifest.json', ManifestSchema],
    ['preprocessor.json', PreprocessorSchema],
    ['golden.json', GoldenSchema],
    ['baseline.json', BaselineSchema],
    ['aliases.json', AliasesSchema],
  ])('of %s', (file, schema) => {
    // A step is one of several; the prediction's histogram has the fields of a feature's.
    const inCode = [...fieldsOf(schema)].filter(([path]) => !path.startsWith('prediction.'))
    const rows = rowsOf(file).filter(([path]) => path !== '*')
    expect(inCode.length).toBeGreaterThan(0)
    expect(rows.map(([path]) => path).sort()).toEqual(inCode.map(([path]) => path).sort())
    const needed = new Map(inCode)
    for (const [path = '', need, ...more] of rows) {
      if (more.length > 0) expect(need, path).toBe(needed.get(path) === true ? 'yes' : 'no')
    }
  })
})

test('docs/manifest.md has the tolerance of golden rows', () => {
  const { absolute, relative } = goldenTolerance
  expect(doc).toContain(`may differ by ${absolute.toExponential()} + ${relative.toExponential()} · |expected|`)
})

test('docs/manifest.md has every reason why a version is not served', () => {
  const code = readFileSync(new URL('../src/artifact/artifact-error.ts', import.meta.url), 'utf8')
  const reasons = Array.from(code.matchAll(/^ {2}\| '(\w+)'$/gm), ([, reason]) => reason)
  expect(reasons.length).toBeGreaterThan(10)
  // What is no ArtifactError is our own fault.
  expect(rowsOf('Why a version is not served').map(([reason]) => reason)).toEqual([...reasons, 'INTERNAL'])
})

test('the version in docs/manifest.md serves as it stands there', async () => {
  const blocks = new Map(Array.from(doc.matchAll(/^`(\w+\.json)`.*\n+```json\n([^]*?)```/gm), ([, file = '', json = '']) => [file, JSON.parse(json) as object]))
  expect([...blocks.keys()]).toEqual(['manifest.json', 'preprocessor.json', 'golden.json', 'baseline.json', 'aliases.json'])
  const { 'manifest.json': manifest, 'aliases.json': aliases, ...files } = Object.fromEntries(blocks)
  const { files: listed, ...rest } = manifest as Manifest
  expect(Object.keys(listed).sort()).toEqual(['model.onnx', ...Object.keys(files)].sort())

  const contents = withManifest({ 'model.onnx': flowerOnnx(), ...files }, rest)
  const server = await startApp({ [`${rest.name}/${rest.version}`]: contents, [rest.name]: { 'aliases.json': aliases as object } })
  onTestFinished(server.close)
  expect((await server.get(`/models/${rest.name}`)).body).toMatchObject({ serving: rest.version, aliases, versions: [{ version: rest.version, state: 'ready' }] })

  const example = Object.fromEntries((rest.features ?? []).map(({ name, example }) => [name, example]))
  const answer = await server.post('/predict', example)
  expect(answer).toMatchObject({ status: 200, body: { class_name: 'leaves', model: { name: 'churn', version: '1.0.0' } } })
  expect(answer.body.warnings).toBeUndefined()
})

import { FatalError } from '../errors.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import { ensembleToOnnx, inputName, outputNames } from './ensemble.ts'
import type { ImportedModel } from './imported.ts'
import { readColumns } from './lightgbm-columns.ts'
import { type LightgbmFeature, readFeatures } from './lightgbm-features.ts'
import { type Objective, readObjective } from './lightgbm-objective.ts'
import { toTree } from './lightgbm-splits.ts'
import { type LightgbmText, type Section, fail, integersOf, splitText, textOf } from './lightgbm-text.ts'
import { readTree } from './lightgbm-tree.ts'

/** LightGBM trains and predicts on float64; so does the graph, and every number goes the way it went there. */
const input = { name: inputName, type: 'float64' } as const

const versions = ['v2', 'v3', 'v4']

/**
 * The text that `booster.save_model` writes.
 *
 * @param options.labels the classes' names, in the order of their numbers; '0', '1', … unless told
 * @throws FatalError that names the tree, the key and what to do
 */
export function importLightgbm (bytes: Uint8Array, options: { readonly labels?: readonly string[] }): ImportedModel {
  const text = splitText(bytes)
  checkHeader(text)
  const objective = readObjective(text.header)
  const columns = readColumns(text.header)
  const iterations = text.trees.length / objective.outputs
  if (!Number.isInteger(iterations)) fail(text.header, 'num_tree_per_iteration', `is ${objective.outputs}, but there are ${text.trees.length} trees`)
  const labels = labelsOf(objective, options.labels)
  const trees = text.trees.map(section => readTree(section, columns.length))
  const { features, notices } = readFeatures(text, columns, trees)
  const scale = isAveraged(text.header) ? 1 / iterations : 1
  const ensemble = {
    features: columns.length,
    outputs: objective.outputs,
    base: Array.from({ length: objective.outputs }, () => 0),
    trees: trees.map((tree, i) => toTree(tree, { name: text.trees[i]!.name, output: i % objective.outputs, scale, features: columns.length })),
  }
  const preprocessor = preprocessorOf(features)
  return {
    model: ensembleToOnnx(ensemble, objective.ending, { input: input.type }),
    task: objective.ending.task,
    features: features.map(({ feature }) => feature),
    ...labels === undefined ? {} : { labels },
    outputs: labels === undefined ? { value: outputNames.value } : { label: outputNames.label, probabilities: outputNames.probabilities },
    ...preprocessor === undefined ? {} : { preprocessor },
    origin: { algorithm: 'LightGBM', objective: objective.text, trees: trees.length, ...scale === 1 ? {} : { average: true } },
    notices,
  }
}

function checkHeader ({ header, trees }: LightgbmText): void {
  const version = textOf(header, 'version')
  if (!versions.includes(version)) fail(header, 'version', `${version} is not supported, ${versions.join(', ')} are; save the model again with LightGBM 3 or 4`)
  if (trees.length === 0) throw new FatalError('header: the model has no trees')
  if (!header.entries.has('tree_sizes')) return
  const sizes = integersOf(header, 'tree_sizes')
  if (sizes.length !== trees.length) fail(header, 'tree_sizes', `tells of ${sizes.length} trees, the file has ${trees.length}`)
}

/** As random forests do. */
function isAveraged (header: Section): boolean {
  return header.entries.has('average_output')
}

function labelsOf ({ ending, outputs }: Objective, given: readonly string[] | undefined): readonly string[] | undefined {
  if (ending.task === 'regression') {
    if (given === undefined) return undefined
    throw new FatalError('labels are for classifications, and the objective makes this model a regression; leave them out')
  }
  const classes = Math.max(2, outputs)
  if (given === undefined) return Array.from({ length: classes }, (_, i) => String(i))
  if (given.length !== classes) throw new FatalError(`${given.length} labels are given (${given.join(', ')}), and the model has ${classes} classes`)
  return given
}

/** Only where categories have to become their codes; otherwise the features are the input as they are. */
function preprocessorOf (features: readonly LightgbmFeature[]): Preprocessor | undefined {
  if (features.every(({ categories }) => categories === undefined)) return undefined
  return {
    schemaVersion: 1,
    output: input,
    columns: features.map(({ feature, categories }) => ({
      feature: feature.name,
      // Below 0 is no category, as in LightGBM.
      steps: categories === undefined ? [] : [{ ordinal: { categories: [...categories.values], unknown: -1 } }],
    })),
  }
}

import type { Feature } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { ensembleToOnnx, outputNames, type Tree } from './ensemble.ts'
import type { ImportedModel } from './imported.ts'
import { type Booster, readBooster } from './xgboost-booster.ts'
import { child, fail, list, object, parseFile, type Place } from './xgboost-json.ts'
import { categoryNotices, readFeatures } from './xgboost-features.ts'
import { type Objective, readBase, readObjective } from './xgboost-objective.ts'
import { readTree } from './xgboost-tree.ts'

/**
 * The JSON that `booster.save_model('model.json')` writes, of XGBoost 1.0 to 3.x.
 *
 * @param options.labels the classes' names, in the order of their numbers; '0', '1', … unless told
 * @throws FatalError that names the place in the file and what to do
 */
export function importXgboost (bytes: Uint8Array, options: { readonly labels?: readonly string[] }): ImportedModel {
  const file = parseFile(bytes)
  const learner = learnerOf(file)
  const objective = readObjective(learner)
  const features = readFeatures(learner)
  const booster = readBooster(learner, objective.isMulticlass)
  const labels = labelsOf(objective, booster.outputs, options.labels)
  const base = readBase(learner, objective, booster.outputs)
  const trees = readTrees(booster, features)
  return {
    model: ensembleToOnnx({ features: features.length, outputs: booster.outputs, base, trees }, objective.ending),
    task: objective.ending.task,
    features,
    ...labels === undefined
      ? { outputs: { value: outputNames.value } }
      : { labels, outputs: { label: outputNames.label, probabilities: outputNames.probabilities } },
    origin: {
      algorithm: 'XGBoost',
      ...versionOf(file),
      objective: objective.name,
      booster: booster.name,
      rounds: booster.rounds,
      trees: trees.length,
    },
    notices: [...objective.notices, ...booster.notices, ...categoryNotices(features)],
  }
}

function learnerOf (file: Place): Place {
  const isDump = Array.isArray(file.value)
  if (isDump) throw new FatalError('this is a list, as dump_model() writes it for people; booster.save_model("model.json") writes the model')
  const learner = child(object(file), 'learner')
  if (learner.value === undefined) throw new FatalError('this is JSON, but not of XGBoost: it has no "learner"; booster.save_model("model.json") writes one')
  return object(learner)
}

function readTrees (booster: Booster, features: readonly Feature[]): Tree[] {
  return booster.weights.map((weight, i) => readTree(child(booster.trees, i), { output: booster.treeInfo[i]!, weight, features: features.length }))
}

function labelsOf ({ name, ending }: Objective, outputs: number, given: readonly string[] | undefined): readonly string[] | undefined {
  if (ending.task === 'regression') {
    if (given === undefined) return undefined
    throw new FatalError(`labels are for classifications, and the objective ${name} makes this model a regression; leave them out`)
  }
  const classes = Math.max(2, outputs)
  if (given === undefined) return Array.from({ length: classes }, (_, i) => String(i))
  if (given.length !== classes) throw new FatalError(`${given.length} labels are given (${given.join(', ')}), and the model has ${classes} classes`)
  return given
}

function versionOf (file: Place): { version?: string } {
  const place = child(file, 'version')
  if (place.value === undefined) return {}
  const parts = list(place)
  return parts.every(part => Number.isInteger(part)) ? { version: parts.join('.') } : fail(place, 'must be a list of whole numbers')
}

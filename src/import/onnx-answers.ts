import type { Manifest } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { addClassIndex } from '../onnx/read-class-index.ts'
import { type Classes, classesBehind, commonClasses, operatorBehind } from '../onnx/read-labels.ts'
import type { CutZipMap } from '../onnx/read-zipmap.ts'
import type { OnnxModel } from '../onnx/read.ts'
import type { TensorSpec } from '../tensor.ts'
import { type Sample, areProbabilities, perRow } from './onnx-sample.ts'

/** What a person says that the file cannot. */
export interface Asked {
  readonly task?: Manifest['task'] | undefined
  readonly labels?: readonly string[] | undefined
}

/** How a graph's outputs become answers. */
export type Answers = Required<Pick<Manifest, 'task'>> & Pick<Manifest, 'labels' | 'outputs'> & { readonly notices: readonly string[] }

interface Graph {
  readonly model: OnnxModel
  readonly outputs: readonly TensorSpec[]
  readonly zipMaps: readonly CutZipMap[]
  /** What the outputs were for some rows: declared shapes are sometimes wrong. */
  readonly sample: Sample | undefined
}

/**
 * Reads what a graph's outputs mean, first of all from the classes that it names. May add an output to the model.
 *
 * @returns undefined where nothing says what they mean
 * @throws FatalError when they cannot be what was asked for
 */
export function answersOf (graph: Graph, asked: Asked): Answers | undefined {
  if (asked.task === 'regression') return regression(graph, graph.outputs)
  const classes = classesOf(graph)
  if (asked.task === 'classification' || classes !== undefined || asked.labels !== undefined) {
    try {
      return classification(graph, classes, asked.labels)
    } catch (error) {
      if (asked.task !== undefined || asked.labels !== undefined) throw error
      return undefined
    }
  }
  const [only, ...others] = graph.outputs
  return only !== undefined && others.length === 0 && isRegressor(graph, only) ? regression(graph, [only]) : undefined
}

/** skl2onnx calls the output of every regressor `variable`. */
function isRegressor ({ model, sample }: Graph, output: TensorSpec): boolean {
  return isFloat(output) && perRow(output, sample) === 1 && (output.name === 'variable' || /Regressor$/.test(operatorBehind(model, output.name) ?? ''))
}

function regression ({ sample }: Graph, outputs: readonly TensorSpec[]): Answers {
  const values = outputs.filter(output => isFloat(output) && perRow(output, sample) === 1)
  const value = values.find(({ name }) => /^(variable|value|prediction|output)/i.test(name)) ?? values[0]
  if (value === undefined) throw new FatalError(`it has no output with one number a row; its outputs are ${list(outputs)}`)
  const notices = values.length === 1 ? [] : [`of the outputs ${values.map(({ name }) => name).join(', ')}, "${value.name}" is the prediction`]
  return { task: 'regression', outputs: { value: value.name }, notices }
}

function classesOf ({ model, outputs, zipMaps }: Graph): Classes | undefined {
  const named = zipMaps.map(({ classes }) => classes).find(classes => classes !== undefined)
  if (named !== undefined) return named
  return outputs.map(({ name }) => classesBehind(model, name)).find(classes => classes !== undefined) ?? commonClasses(model)
}

function classification (graph: Graph, classes: Classes | undefined, asked: readonly string[] | undefined): Answers {
  const { model, outputs, sample } = graph
  const known = labelsOf(classes, asked)
  const matrix = probabilitiesOf(graph, known?.length)
  const labels = known ?? countedLabels(matrix, sample)
  const label = labelOutput(graph)
  const notices = known === undefined ? ['the classes have no names: give them with --labels'] : []
  const probabilities = matrix !== undefined && areProbabilities(matrix, sample, labels.length) ? matrix.name : undefined
  if (matrix !== undefined && probabilities === undefined) {
    notices.push(`"${matrix.name}" holds scores that are no probabilities, so answers have none; end the model in a softmax or sigmoid for them`)
  }
  const scores = probabilities === undefined ? matrix?.name : undefined
  const index = indexOutput(model, label, scores, classIntegers(classes, label, labels))
  if (index === undefined && probabilities === undefined) {
    throw new FatalError(`it has no output with a class a row, and none with ${labels.length} probabilities a row; its outputs are ${list(outputs)}`)
  }
  return { task: 'classification', labels, notices, outputs: { ...(index === undefined ? {} : { label: index }), ...(probabilities === undefined ? {} : { probabilities }) } }
}

/** The output that tells the class by name or by place: the label's own, or one that is added. */
function indexOutput (model: OnnxModel, label: TensorSpec | undefined, scores: string | undefined, integers: readonly bigint[] | undefined): string | undefined {
  if (label === undefined) return scores && addClassIndex(model, scores)
  return integers === undefined ? label.name : addClassIndex(model, label.name, integers)
}

function labelsOf (classes: Classes | undefined, asked: readonly string[] | undefined): string[] | undefined {
  if (classes === undefined) return asked && [...asked]
  const names = classes.map(String)
  if (asked === undefined) return names
  if (asked.length !== classes.length) throw new FatalError(`it tells ${classes.length} classes apart (${names.join(', ')}), and --labels names ${asked.length}`)
  if (typeof classes[0] === 'string' && asked.join('\0') !== names.join('\0')) {
    throw new FatalError(`it names its classes itself: ${names.join(', ')}; leave --labels out`)
  }
  return [...asked]
}

/**
 * The integers that stand for the classes, where they are not simply their places.
 */
function classIntegers (classes: Classes | undefined, label: TensorSpec | undefined, labels: readonly string[]): bigint[] | undefined {
  if (label === undefined || label.type === 'string' || label.type === 'bool') return undefined
  const given = classes ?? (labels.every(name => /^-?\d{1,18}$/.test(name)) ? labels.map(BigInt) : [])
  const integers = given.filter(value => typeof value === 'bigint')
  return integers.length < labels.length || integers.every((value, i) => value === BigInt(i)) ? undefined : integers
}

function labelOutput ({ outputs, sample }: Graph): TensorSpec | undefined {
  const found = outputs.filter(output => !isFloat(output) && perRow(output, sample) === 1)
  return found.find(({ name }) => /label|class/i.test(name)) ?? found[0]
}

function probabilitiesOf ({ outputs, zipMaps, sample }: Graph, count: number | undefined): TensorSpec | undefined {
  const found = outputs.filter(output => {
    const columns = perRow(output, sample)
    if (!isFloat(output) || columns === undefined) return false
    return count === undefined ? columns > 1 : columns === count || (columns === 1 && count === 2)
  })
  const isNamed = ({ name }: TensorSpec) => zipMaps.some(({ output }) => output === name) || /prob/i.test(name)
  return found.find(isNamed) ?? found[0]
}

function countedLabels (matrix: TensorSpec | undefined, sample: Sample | undefined): string[] {
  const columns = matrix && perRow(matrix, sample)
  if (columns === undefined) throw new FatalError('nothing says which classes it tells apart: give them with --labels a,b,c, in the order of the model')
  return Array.from({ length: columns }, (_, i) => `${i}`)
}

function isFloat ({ type }: TensorSpec): boolean {
  return type === 'float32' || type === 'float64'
}

function list (outputs: readonly TensorSpec[]): string {
  return outputs.map(({ name, type, shape }) => `"${name}" (${type} [${shape.map(size => size === -1 ? '?' : size).join(', ')}])`).join(', ')
}

import { FatalError } from '../errors.ts'
import type { Ending, Link } from './ensemble.ts'
import { type Section, countOf, fail, parseNumber, quote, textOf } from './lightgbm-text.ts'

export interface Objective {
  /** As the file writes it. */
  readonly text: string
  readonly ending: Ending
  /** Scores per row, and trees per iteration. */
  readonly outputs: number
}

const links: Readonly<Record<string, Link['kind']>> = {
  binary: 'sigmoid',
  multiclass: 'softmax',
  multiclassova: 'sigmoid',
  cross_entropy: 'sigmoid',
  cross_entropy_lambda: 'softplus',
  poisson: 'exp',
  gamma: 'exp',
  tweedie: 'exp',
  regression: 'identity',
  regression_l1: 'identity',
  huber: 'identity',
  fair: 'identity',
  quantile: 'identity',
  mape: 'identity',
  lambdarank: 'identity',
  rank_xendcg: 'identity',
}

/** What LightGBM does to the scores of a model of this objective, and how many there are. */
export function readObjective (header: Section): Objective {
  if (!header.entries.has('objective')) refuseCustom(header)
  const text = textOf(header, 'objective')
  const [name = '', ...words] = text.split(/\s+/)
  if (['', 'custom', 'none', 'null', 'na'].includes(name)) refuseCustom(header)
  const kind = Object.hasOwn(links, name) ? links[name] : undefined
  if (kind === undefined) fail(header, 'objective', `${quote(name)} is not supported; these are: ${Object.keys(links).join(', ')}`)
  const odd = words.find(word => !word.includes(':') && !(word === 'sqrt' && kind === 'identity'))
  if (odd !== undefined) fail(header, 'objective', `${quote(odd)} is unknown behind ${quote(name)}`)
  const outputs = countOf(header, 'num_class', 1)
  const perIteration = header.entries.has('num_tree_per_iteration') ? countOf(header, 'num_tree_per_iteration', 1) : outputs
  if (perIteration !== outputs) fail(header, 'num_tree_per_iteration', `is ${perIteration}, ${outputs} expected, as num_class is`)
  const isMulticlass = name.startsWith('multiclass')
  if (isMulticlass !== (outputs > 1)) fail(header, 'num_class', `is ${outputs}, which does not go with the objective ${quote(name)}`)
  return {
    text,
    outputs,
    ending: {
      task: name === 'binary' || isMulticlass ? 'classification' : 'regression',
      link: linkOf(header, kind, words),
    },
  }
}

function linkOf (header: Section, kind: Link['kind'], words: readonly string[]): Link {
  if (kind === 'identity' && words.includes('sqrt')) return { kind: 'signedSquare' }
  if (kind !== 'sigmoid') return { kind }
  const word = words.find(word => word.startsWith('sigmoid:')) ?? 'sigmoid:1'
  const slope = parseNumber(word.slice('sigmoid:'.length))
  if (slope === undefined || !(slope > 0) || !Number.isFinite(slope)) fail(header, 'objective', `${quote(word)} must have a number above 0`)
  return { kind, slope }
}

function refuseCustom (header: Section): never {
  throw new FatalError(`${header.name}, objective: the model was trained with a function of your own, so the file does not say what its scores mean; ` +
    'write the line "objective=regression" (scores as they are) or "objective=binary sigmoid:1" (a probability) into the header, if one of them is what you do with them')
}

import type { Ending, Link } from './ensemble.ts'
import { child, fail, isEmpty, list, numbers, type Place, shorten, text } from './xgboost-json.ts'

export interface Objective {
  readonly name: string
  readonly ending: Ending
  /** Whether there is one score per class, and not one in all. */
  readonly isMulticlass: boolean
  /** What the score begins with, from what the file calls base_score. */
  readonly margin: (baseScore: number) => number
  /** What a person should know. */
  readonly notices: readonly string[]
}

interface Kind {
  readonly task: Ending['task']
  readonly link: Link['kind']
  readonly isMulticlass?: boolean
  /** Where the base is no mean of the target. */
  readonly base?: 'margin'
  readonly notice?: string
}

const score = 'its answers are scores, only good for putting rows in an order'

const value: Kind = { task: 'regression', link: 'identity' }
const mean: Kind = { task: 'regression', link: 'exp' }
const rank: Kind = { ...value, notice: score }
const softmax: Kind = { task: 'classification', link: 'softmax', isMulticlass: true }

const kinds: Readonly<Record<string, Kind>> = {
  'binary:logistic': { task: 'classification', link: 'sigmoid' },
  'binary:logitraw': { task: 'classification', link: 'sigmoid', base: 'margin', notice: 'probabilities are the sigmoid of the raw scores that XGBoost answers for binary:logitraw' },
  'binary:hinge': { task: 'classification', link: 'step', notice: 'binary:hinge knows no probabilities: they are 0 or 1' },
  'multi:softprob': softmax,
  'multi:softmax': softmax,
  'reg:squarederror': value,
  'reg:linear': value,
  'reg:squaredlogerror': value,
  'reg:absoluteerror': value,
  'reg:pseudohubererror': value,
  'reg:quantileerror': value,
  'reg:expectileerror': value,
  'reg:logistic': { task: 'regression', link: 'sigmoid' },
  'reg:gamma': mean,
  'reg:tweedie': mean,
  'count:poisson': mean,
  'survival:cox': mean,
  'survival:aft': mean,
  'rank:pairwise': rank,
  'rank:ndcg': rank,
  'rank:map': rank,
}

export function readObjective (learner: Place): Objective {
  const place = child(learner, 'objective', 'name')
  const name = text(place)
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
  if (kind === undefined) {
    fail(place, `"${shorten(name)}" is not supported; these are: ${Object.keys(kinds).join(', ')}`)
  }
  const { task, link, isMulticlass = false, base, notice } = kind
  return {
    name,
    ending: { task, link: { kind: link } },
    isMulticlass,
    margin: base === 'margin' ? same : margins[link] ?? same,
    notices: notice === undefined ? [] : [notice],
  }
}

/** As near to 0 and 1 as XGBoost lets a probability come. */
const smallest = 1e-6

const margins: Partial<Record<Link['kind'], (mean: number) => number>> = {
  sigmoid: probability => {
    const inner = Math.min(Math.max(probability, smallest), 1 - smallest)
    return Math.log(inner / (1 - inner))
  },
  exp: Math.log,
}

function same (value: number): number {
  return value
}

/**
 * What each score begins with. Up to XGBoost 3.0 the file has one base score ("5E-1") for all, later a
 * list that is written as a text ("[5E-1,2E-1]").
 */
export function readBase (learner: Place, { margin }: Objective, outputs: number): number[] {
  const place = child(learner, 'learner_model_param', 'base_score')
  const written = baseScores(place)
  if (written.length !== 1 && written.length !== outputs) fail(place, `holds ${written.length} values for ${outputs} scores`)
  const base = written.map(score => margin(Math.fround(score)))
  if (!base.every(Number.isFinite)) fail(place, `${written.join(', ')} cannot be the mean of such a target`)
  return Array.from({ length: outputs }, (_, output) => base[output] ?? base[0]!)
}

function baseScores (place: Place): number[] {
  const { value } = place
  if (isEmpty(place)) return fail(place, 'is missing')
  if (typeof value === 'number') return [value]
  if (Array.isArray(value)) return list(place).length === 0 ? fail(place, 'is an empty list') : numbers(place)
  const words = text(place).trim().replace(/^\[(.*)\]$/, '$1').split(',').map(word => word.trim())
  const odd = words.find(word => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word))
  if (odd !== undefined) fail(place, `must be a number or a list of numbers as a text, not "${shorten(text(place))}"`)
  return words.map(Number)
}

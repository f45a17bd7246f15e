import { type Section, countOf, fail, integersOf, numbersOf, quote, textOf } from './lightgbm-text.ts'

export type MissingType = 'none' | 'zero' | 'nan'

/** Node 0 is the root; a child below 0 is the leaf `~child`. */
export interface LightgbmTree {
  readonly splits: readonly LightgbmSplit[]
  readonly leafValues: readonly number[]
}

export interface LightgbmSplit {
  readonly feature: number
  readonly left: number
  readonly right: number
  /** What decides: `x <= threshold` goes left, or whether the category's bit is set. */
  readonly rule:
    | { readonly kind: 'numeric', readonly threshold: number, readonly missing: MissingType, readonly defaultLeft: boolean }
    | { readonly kind: 'categories', readonly words: readonly number[] }
}

const categoricalBit = 1
const defaultLeftBit = 2
const missingTypes: readonly (MissingType | undefined)[] = ['none', 'zero', 'nan']

/**
 * @param features how many features the model has
 * @throws FatalError that names the tree and the key
 */
export function readTree (section: Section, features: number): LightgbmTree {
  const leaves = countOf(section, 'num_leaves', 1)
  const leafValues = numbersOf(section, 'leaf_value', leaves)
  const infinite = leafValues.findIndex(value => !Number.isFinite(Math.fround(value)))
  if (infinite >= 0) fail(section, 'leaf_value', `value ${infinite} is too large for a float32`)
  if (section.entries.has('is_linear') && textOf(section, 'is_linear') !== '0') {
    fail(section, 'is_linear', 'linear trees cannot be expressed in ONNX tree ensembles; train with linear_tree=false')
  }
  if (leaves === 1) return { splits: [], leafValues }
  const tree = { splits: readSplits(section, leaves - 1, features), leafValues }
  checkShape(section, tree)
  return tree
}

function readSplits (section: Section, count: number, features: number): LightgbmSplit[] {
  const left = integersOf(section, 'left_child', count)
  const right = integersOf(section, 'right_child', count)
  const feature = integersOf(section, 'split_feature', count)
  const thresholds = numbersOf(section, 'threshold', count)
  const types = integersOf(section, 'decision_type', count)
  const categories = readCategories(section)
  return left.map((_, i) => {
    if (feature[i]! < 0 || feature[i]! >= features) fail(section, 'split_feature', `split ${i} is on feature ${feature[i]}, the model has ${features}`)
    const type = types[i]!
    const missing = missingTypes[type >> 2]
    if (type < 0 || missing === undefined) fail(section, 'decision_type', `split ${i} has the type ${type}, which is unknown`)
    const rule: LightgbmSplit['rule'] = (type & categoricalBit) === 0
      ? { kind: 'numeric', threshold: thresholds[i]!, missing, defaultLeft: (type & defaultLeftBit) !== 0 }
      : { kind: 'categories', words: takeCategories(section, categories, thresholds[i]!, i) }
    return { feature: feature[i]!, left: left[i]!, right: right[i]!, rule }
  })
}

/** One bitset of 32-bit words per categorical split, until it is taken. */
type Categories = (readonly number[] | undefined)[]

function readCategories (section: Section): Categories {
  const count = countOf(section, 'num_cat', 0)
  if (count === 0) return []
  const bounds = integersOf(section, 'cat_boundaries', count + 1)
  const words = integersOf(section, 'cat_threshold')
  const unordered = bounds.findIndex((bound, i) => bound < (bounds[i - 1] ?? 0))
  if (bounds[0] !== 0 || unordered >= 0) fail(section, 'cat_boundaries', 'must begin at 0 and never fall')
  if (bounds[count] !== words.length) fail(section, 'cat_threshold', `holds ${words.length} values, ${bounds[count]} expected`)
  const wrong = words.find(word => word < 0 || word > 0xffff_ffff)
  if (wrong !== undefined) fail(section, 'cat_threshold', `${wrong} is not a 32-bit word`)
  return Array.from({ length: count }, (_, i) => words.slice(bounds[i], bounds[i + 1]))
}

/** Each set belongs to one split, so that what is made of a file stays in proportion to it. */
function takeCategories (section: Section, categories: Categories, index: number, split: number): readonly number[] {
  const words = categories[index]
  if (words === undefined) fail(section, 'threshold', `split ${split} has the set of categories ${quote(String(index))}, which does not exist or belongs to another split`)
  categories[index] = undefined
  return words
}

/** Every split and leaf hangs on exactly one branch below the root. Without recursion, for trees of any depth. */
function checkShape (section: Section, { splits, leafValues }: LightgbmTree): void {
  const isReached = { splits: new Uint8Array(splits.length), leaves: new Uint8Array(leafValues.length) }
  const reach = (child: number, key: string, parent: number) => {
    const reached = child < 0 ? isReached.leaves : isReached.splits
    const index = child < 0 ? ~child : child
    const name = child < 0 ? `leaf ${index}` : `split ${index}`
    if (index >= reached.length) fail(section, key, `split ${parent} leads to ${name}, there are ${reached.length}`)
    if (reached[index] === 1) fail(section, key, `split ${parent} leads to ${name}, which is reached already: not a tree`)
    reached[index] = 1
    if (child >= 0) open.push(child)
  }
  const open = [0]
  isReached.splits[0] = 1
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    reach(splits[at]!.left, 'left_child', at)
    reach(splits[at]!.right, 'right_child', at)
  }
  const lost = isReached.splits.indexOf(0)
  if (lost >= 0) fail(section, 'left_child', `no branch leads to split ${lost}`)
}

import { FatalError } from '../errors.ts'
import { treeFault } from './ensemble-fault.ts'
import type { Tree, TreeNode } from './ensemble-shape.ts'
import type { LightgbmSplit, LightgbmTree } from './lightgbm-tree.ts'

interface Place {
  /** For messages. */
  readonly name: string
  /** The score that the leaves add to. */
  readonly output: number
  /** What every leaf's value is multiplied by. */
  readonly scale: number
  readonly features: number
}

/**
 * The same tree in neutral form: the splits in their order, then the leaves.
 *
 * @throws FatalError for a tree that the runtime cannot load
 */
export function toTree ({ splits, leafValues }: LightgbmTree, { name, output, scale, features }: Place): Tree {
  const place = (child: number) => child < 0 ? splits.length + ~child : child
  const nodes = [
    ...splits.map(split => toNode(split, place(split.left), place(split.right))),
    ...leafValues.map((value): TreeNode => ({ kind: 'leaf', value: value * scale })),
  ]
  const fault = treeFault({ output, nodes }, features)
  if (fault !== undefined) {
    const at = fault.node < splits.length ? `split ${fault.node}` : `leaf ${fault.node - splits.length}`
    throw new FatalError(`${name}, ${at}: ${fault.message}${fault.part === 'depth' ? '; train with max_depth set' : ''}`)
  }
  return { output, nodes }
}

function toNode ({ feature, rule }: LightgbmSplit, yes: number, no: number): TreeNode {
  if (rule.kind === 'categories') {
    // Missing, unknown and below 0: right.
    return { kind: 'member', feature, categories: categoriesOf(rule.words), fraction: 'off', yes, no, missing: 'no' }
  }
  const { threshold, missing, defaultLeft } = rule
  // Where training saw none missing, NaN counts as 0.
  const isLeft = missing === 'none' ? threshold >= 0 : defaultLeft
  return {
    kind: 'split',
    feature,
    test: '<=',
    threshold,
    yes,
    no,
    missing: isLeft ? 'yes' : 'no',
    ...missing === 'zero' ? { zero: 'missing' as const } : {},
  }
}

/** The bits that are set: bit b of word w is category 32w + b. */
function categoriesOf (words: readonly number[]): number[] {
  return words.flatMap((word, i) => {
    const set: number[] = []
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit & 1) === 1) set.push(32 * i + bit)
    return set
  })
}

/** Trees whose leaves add up to scores, as gradient boosting makes them, whichever library did. */
export interface Ensemble {
  /** Columns of the input. */
  readonly features: number
  /** Scores per row. */
  readonly outputs: number
  /** What each score begins with. */
  readonly base: readonly number[]
  readonly trees: readonly Tree[]
}

export interface Tree {
  /** The score that its leaves add to. */
  readonly output: number
  /** [0] is the root; a node has one way to it, as the runtime demands. Nodes without one are left out of the graph. */
  readonly nodes: readonly TreeNode[]
}

export type TreeNode = Leaf | Split | CategorySplit

export interface Leaf { readonly kind: 'leaf', readonly value: number }

interface Fork {
  readonly feature: number
  /** Index of the node after a test that holds, and after one that does not. */
  readonly yes: number
  readonly no: number
  /** Where NaN goes. */
  readonly missing: 'yes' | 'no'
}

/** Compares float64: a threshold that is no float32 parts float32 inputs exactly as it is written. */
export interface Split extends Fork {
  readonly kind: 'split'
  readonly test: '<' | '<=' | '>' | '>='
  readonly threshold: number
  /** Whether what is 0, or nearer to it than `zeroThreshold`, goes where NaN goes; unless told it is a number. */
  readonly zero?: 'missing' | 'number'
}

/** The float32 next to 1e-35: what LightGBM takes for 0. */
export const zeroThreshold = Math.fround(1e-35)

/** Holds for the numbers in `categories`, whatever stands behind the decimal point. */
export interface CategorySplit extends Fork {
  readonly kind: 'member'
  /** How a fraction goes: cut off, -0.5 is category 0; rounded down, as unless told, it is none. */
  readonly fraction?: 'down' | 'off'
  /** Whole numbers from 0 to below 2^24; may be empty. */
  readonly categories: readonly number[]
}

/** What turns scores into probabilities or a value. */
export type Link =
  | { readonly kind: 'identity' }
  /** 1 / (1 + e^(-slope · score)); as a classification with one score the second of two classes, else of each class by itself. */
  | { readonly kind: 'sigmoid', readonly slope?: number }
  | { readonly kind: 'softmax' }
  | { readonly kind: 'exp' }
  /** ln(1 + e^score) */
  | { readonly kind: 'softplus' }
  /** score · |score| */
  | { readonly kind: 'signedSquare' }
  /** 1 above 0, else 0. */
  | { readonly kind: 'step' }

/** A classification has one score for two classes, else one per class; a regression has one. */
export type Ending = { readonly task: 'classification' | 'regression', readonly link: Link }

/** The names of the graph's input and outputs. */
export const inputName = 'X'
export const outputNames = { label: 'label', probabilities: 'probabilities', value: 'value' } as const

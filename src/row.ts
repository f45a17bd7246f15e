/** One feature's value; null is missing. Integers are numbers. */
export type Value = number | string | boolean | null

/** One validated row: exactly one value per feature, in the manifest's order. */
export type Row = readonly Value[]

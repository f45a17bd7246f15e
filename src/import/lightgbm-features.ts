import type { Feature } from '../artifact/manifest.ts'
import type { LightgbmTree } from './lightgbm-tree.ts'
import type { ColumnInfo } from './lightgbm-columns.ts'
import type { LightgbmText } from './lightgbm-text.ts'
import { type Categories, readPandas } from './lightgbm-pandas.ts'

/** A feature, and the categories that stand behind its codes, if the file knows them. */
export interface LightgbmFeature {
  readonly feature: Feature
  readonly categories: Categories | undefined
}

/** The features as a caller sees them, and what could not be told. */
export function readFeatures (text: LightgbmText, columns: readonly ColumnInfo[], trees: readonly LightgbmTree[]): { features: LightgbmFeature[], notices: string[] } {
  const missing = missingByFeature(trees)
  const { categories, notices } = readPandas(text, columns)
  const features = columns.map((column, i): LightgbmFeature => ({
    feature: {
      name: column.name,
      ...valuesOf(column, categories.get(i)),
      required: missing.get(i) === 'as zero',
      ...missing.has(i) ? {} : { description: 'The model does not use it.' },
    },
    categories: categories.get(i),
  }))
  return { features, notices }
}

function valuesOf ({ range, codes }: ColumnInfo, categories: Categories | undefined): Pick<Feature, 'type' | 'range' | 'enum'> {
  if (categories !== undefined) {
    const { type, values } = categories
    return type === 'boolean' ? { type } : { type, enum: [...values] as (string | number)[] }
  }
  if (codes !== undefined) {
    const seen = codes.filter(code => code >= 0)
    return { type: 'integer', ...seen.length === 0 ? {} : { range: seen.reduce(([low, high], code) => [Math.min(low, code), Math.max(high, code)], [Infinity, -Infinity]) } }
  }
  return { type: 'number', ...range === undefined ? {} : { range: [...range] } }
}

/**
 * What a missing value means to each feature that splits are on. One that had none missing in training
 * takes NaN for 0, which is no answer to give without being asked: such a feature is required.
 */
function missingByFeature (trees: readonly LightgbmTree[]): Map<number, 'as zero' | 'native'> {
  const missing = new Map<number, 'as zero' | 'native'>()
  for (const { splits } of trees) {
    for (const { feature, rule } of splits) {
      const isAsZero = rule.kind === 'numeric' && rule.missing === 'none'
      if (isAsZero || !missing.has(feature)) missing.set(feature, isAsZero ? 'as zero' : 'native')
    }
  }
  return missing
}

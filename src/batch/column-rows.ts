import type { Feature } from '../artifact/manifest.ts'
import type { Row, Value } from '../row.ts'
import { type CheckValue, compileCheck } from '../schemas/check-value.ts'
import type { ByteWriter } from './byte-writer.ts'
import type { ColumnsChunk } from './chunk.ts'
import type { ChunkRows, InputRow } from './input-row.ts'
import { JsonText, type OutputLines } from './output-lines.ts'

/** A column that is kept. */
export interface KeptColumn {
  readonly name: string
  /** Its texts are numbers or truths. */
  readonly isJson: boolean
}

export interface ColumnsPlan {
  readonly features: readonly { readonly feature: Feature, readonly check: CheckValue }[]
  readonly kept: readonly KeptColumn[]
  readonly lines: OutputLines
}

export function planColumns (features: readonly Feature[], kept: readonly KeptColumn[], lines: OutputLines): ColumnsPlan {
  return { features: features.map(feature => ({ feature, check: compileCheck(feature) })), kept, lines }
}

/** Rows that came by their columns. */
export class ColumnRows implements ChunkRows {
  end = 0
  values: Row | undefined
  readonly #chunk: ColumnsChunk
  readonly #plan: ColumnsPlan
  readonly #slots: Value[]

  constructor (chunk: ColumnsChunk, plan: ColumnsPlan) {
    this.#chunk = chunk
    this.#plan = plan
    this.#slots = new Array<Value>(plan.features.length).fill(null)
  }

  next (): boolean {
    if (this.end === this.#chunk.rows) return false
    const row = this.end++
    this.values = (this.#chunk.inexact?.[row] ?? null) === null && this.#isSound(row) ? this.#slots : undefined
    return true
  }

  writeKept (to: ByteWriter): void {
    this.#plan.lines.kept(to, this.#keptOf(this.end - 1))
  }

  input (row: number): InputRow {
    const inexact = this.#chunk.inexact?.[row] ?? null
    // What a file does not have stays away, as it does in a caller's row.
    const features = this.#plan.features.flatMap(({ feature }, i) => this.#chunk.features[i] === undefined ? [] : [[feature.name, this.#valueOf(i, row)] as const])
    const kept = this.#plan.kept.map(({ name, isJson }, i) => {
      const text = this.#chunk.kept[i]?.[row] ?? null
      return [name, isJson && text !== null ? jsonValue(text) : text] as const
    })
    return {
      line: this.#chunk.line + row,
      row: inexact === null ? Object.fromEntries(features) : undefined,
      fault: inexact === null ? undefined : `${inexact}: beyond 2^53 not every whole number can be held exactly`,
      kept: this.#keptOf(row),
      given: Object.fromEntries([...features, ...kept]),
    }
  }

  #isSound (row: number): boolean {
    const { features } = this.#plan
    for (let i = 0; i < features.length; i++) {
      const value = this.#valueOf(i, row)
      if ((features[i] as ColumnsPlan['features'][number]).check(value) !== undefined) return false
      this.#slots[i] = value
    }
    return true
  }

  #valueOf (feature: number, row: number): Value {
    const column = this.#chunk.features[feature]
    if (!(column instanceof Float64Array)) return column?.[row] ?? null
    const number = column[row] as number
    if (Number.isNaN(number)) return null
    return this.#plan.features[feature]?.feature.type === 'boolean' ? number === 1 : number
  }

  #keptOf (row: number): readonly unknown[] {
    return this.#plan.kept.map(({ isJson }, i) => {
      const text = this.#chunk.kept[i]?.[row] ?? null
      return isJson && text !== null && isFiniteText(text) ? new JsonText(text) : text
    })
  }
}

/** As JSON has it: `nan`, `inf` and `-inf` stay texts. */
function isFiniteText (text: string): boolean {
  return text === 'true' || text === 'false' || Number.isFinite(Number(text))
}

/** A number that JavaScript would round stays a text. */
function jsonValue (text: string): unknown {
  const value: unknown = isFiniteText(text) ? JSON.parse(text) : text
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value
}

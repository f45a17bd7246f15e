import { isAscii } from 'node:buffer'
import type { Artifact } from '../artifact/read.ts'
import type { Placement } from '../engine/engine.ts'
import type { Session } from '../engine/graph.ts'
import { openSession } from '../engine/session.ts'
import type { Fault } from '../errors.ts'
import { encodeRows } from '../serving/encode.ts'
import { compileTabular, type Tabular } from '../serving/tabular.ts'
import { type AnsweredRows, type RunRows, rowRunner } from './answered-rows.ts'
import type { Chunk, ScoredChunk } from './chunk.ts'
import { ChunkLines } from './chunk-lines.ts'
import { ColumnRows, type KeptColumn, planColumns } from './column-rows.ts'
import { CsvRows, planCsv } from './csv-rows.ts'
import { findColumns } from './csv-columns.ts'
import type { ChunkRows, InputRow } from './input-row.ts'
import { type NdjsonPlan, NdjsonRows, planNdjson } from './ndjson-rows.ts'
import { type OutputFormat, type OutputLines, compileLines, isTyped } from './output-lines.ts'

/** An input whose beginning was looked at. */
export type KnownInput = { readonly path: string } & (
  | { readonly kind: 'csv', readonly header: readonly string[] }
  | { readonly kind: 'ndjson' }
  | { readonly kind: 'parquet', readonly kept: readonly KeptColumn[] }
)

/** All that a thread needs to score chunks. */
export interface ScorerSetup {
  readonly artifact: Omit<Artifact, 'golden' | 'baseline' | 'notes'>
  /** Rows that run together; 1 where rows were not seen to be independent. */
  readonly runRows: number
  readonly format: OutputFormat
  readonly keep: readonly string[]
  readonly inputs: readonly KnownInput[]
}

type OpenRows = (chunk: Chunk) => ChunkRows

/**
 * Chunks to lines of output, on this thread: reads, checks, encodes, runs, writes. It is what `/predict` is made of, and
 * the same numbers; a row's answer does not depend on those beside it.
 */
export class ChunkScorer {
  readonly #setup: ScorerSetup
  readonly #session: Session
  readonly #tabular: Tabular
  readonly #runRows: RunRows
  readonly #lines: OutputLines
  readonly #openRows: OpenRows
  #notices: string[] = []

  private constructor (setup: ScorerSetup, session: Session) {
    const { artifact, format, keep } = setup
    const { manifest, manifest: { features = [] } } = artifact
    this.#setup = setup
    this.#session = session
    this.#tabular = compileTabular({ ...artifact, golden: undefined, baseline: undefined, notes: [] }, features, session)
    this.#runRows = rowRunner(session, this.#tabular.readAnswers)
    this.#lines = compileLines(format, manifest, keep)
    this.#openRows = this.#compileOpening()
  }

  /** @throws Error when the model does not open, though it did before */
  static async open (setup: ScorerSetup): Promise<ChunkScorer> {
    const { model, externalData, preprocessorGraph: preprocessor } = setup.artifact
    return new ChunkScorer(setup, await openSession(model, { externalData, preprocessor }))
  }

  async close (): Promise<void> {
    await this.#session.release()
  }

  async score (chunk: Chunk): Promise<ScoredChunk> {
    const startedMs = performance.now()
    const lines = new ChunkLines(this.#openRows(chunk), this.#lines, row => this.#faultsOf(row), (this.#setup.inputs[chunk.input] as KnownInput).path)
    while (lines.fill(this.#tabular, this.#setup.runRows)) {
      const { inputs, rows } = lines.filled()
      lines.write(rows === 0 ? nothing : await this.#runRows(inputs, rows))
    }
    const notices = this.#notices
    this.#notices = []
    return { ...lines.result(), notices, tookMs: performance.now() - startedMs }
  }

  #compileOpening (): OpenRows {
    const { keep, format, inputs, artifact: { manifest: { features = [] } } } = this.#setup
    const { reader } = this.#tabular
    const wanted = { features, keep, typed: isTyped(format) }
    const told = new Set<string>()
    const notice = (text: string): void => {
      if (told.has(text) || told.size === maxNotices) return
      told.add(text)
      this.#notices.push(text)
    }
    const ndjson: NdjsonPlan = planNdjson(wanted, reader, this.#lines, notice)
    const csv = once((header: readonly string[]) => planCsv(findColumns(header, wanted), reader, this.#lines))
    const columns = once((kept: readonly KeptColumn[]) => planColumns(features, kept, this.#lines))
    return chunk => {
      const known = inputs[chunk.input] as KnownInput
      if (chunk.kind === 'columns') return new ColumnRows(chunk, columns(known.kind === 'parquet' ? known.kept : []))
      const text = textOf(chunk.bytes)
      return known.kind === 'csv' ? new CsvRows(text, chunk.line, csv(known.header)) : new NdjsonRows(text, chunk.line, ndjson)
    }
  }

  /** In the words of `/predict` for this row alone: beside others, how many faults are listed would depend on them. */
  #faultsOf ({ row, fault }: InputRow): readonly Fault[] {
    if (fault !== undefined) return [{ path: '', message: fault }]
    const source = { rows: [row], single: false, unreadable: new Map(), unreadableCode: 'INVALID_INPUT', pointer: () => '', note: () => '' } as const
    return encodeRows(this.#tabular, source, true).faults.listed.get(0) ?? []
  }
}

/** Files are many, and what they begin with is mostly the same. */
function once<Key, Plan> (make: (key: Key) => Plan): (key: Key) => Plan {
  const made = new Map<string, Plan>()
  return key => {
    const text = JSON.stringify(key)
    const plan = made.get(text) ?? make(key)
    made.set(text, plan)
    return plan
  }
}

export const maxNotices = 20

/** Whoever waits for rows should not wait long. */
const runMs = 200
const maxRunRows = 8192

/** Where rows were not seen to be independent, each has a run of its own, as a caller's one row has. */
export function runRowsOf ({ gathers, perRowMs }: Placement): number {
  return gathers ? Math.min(maxRunRows, Math.max(1, Math.floor(runMs / (perRowMs ?? runMs)))) : 1
}

const nothing: AnsweredRows = { predictions: [], probabilities: undefined, refused: undefined }

function textOf (bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes
  const text = Buffer.from(buffer, byteOffset, byteLength)
  return text.toString(isAscii(text) ? 'latin1' : 'utf8')
}

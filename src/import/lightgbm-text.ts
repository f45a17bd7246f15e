import { FatalError } from '../errors.ts'

/** The lines `key=value` of one part of the file. */
export interface Section {
  /** For messages: 'header' or 'tree 3'. */
  readonly name: string
  readonly entries: ReadonlyMap<string, Entry>
}

interface Entry { readonly text: string, readonly line: number }

/** The parts of a file that `save_model` wrote, not yet read. */
export interface LightgbmText {
  readonly header: Section
  readonly trees: readonly Section[]
  /** What follows `end of trees`: importances, parameters, categories of pandas. */
  readonly rest: readonly string[]
}

const endOfTrees = 'end of trees'
const treeStart = 'Tree='

/**
 * Cuts the text into its parts.
 *
 * @throws FatalError when it is not the text of a LightGBM model, or not all of it
 */
export function splitText (bytes: Uint8Array): LightgbmText {
  const lines = decode(bytes).split(/\r?\n/)
  const first = lines.findIndex(line => line.trim() !== '')
  if (lines[first]?.trim() !== 'tree') {
    throw new FatalError('not a LightGBM text model: its first line must be "tree"; save one with booster.save_model("model.txt")')
  }
  const end = lines.findIndex(line => line.trim() === endOfTrees)
  if (end === -1) throw new FatalError(`the LightGBM model is cut off: it has no line "${endOfTrees}"; save or copy it again`)
  const starts: number[] = []
  for (let i = first + 1; i < end; i++) if (lines[i]?.startsWith(treeStart)) starts.push(i)
  return {
    header: section('header', lines, first + 1, starts[0] ?? end),
    trees: starts.map((start, tree) => treeSection(lines, tree, start, starts[tree + 1] ?? end)),
    rest: lines.slice(end + 1),
  }
}

/** The text behind `key=`. */
export function textOf (section: Section, key: string): string {
  const entry = section.entries.get(key)
  if (entry === undefined) throw new FatalError(`${section.name}: the line "${key}=" is missing`)
  return entry.text
}

export function countOf (section: Section, key: string, smallest: number): number {
  const [count, ...more] = integersOf(section, key)
  if (count === undefined || more.length > 0 || count < smallest) fail(section, key, `must be one whole number, ${smallest} or more`)
  return count
}

/** @param length how many there must be; unset: any number of them */
export function integersOf (section: Section, key: string, length?: number): number[] {
  return parseAll(section, key, length, word => /^[+-]?\d{1,15}$/.test(word) ? Number(word) : undefined, 'a whole number')
}

/** Finite or infinite, never NaN. */
export function numbersOf (section: Section, key: string, length?: number): number[] {
  return parseAll(section, key, length, parseNumber, 'a number')
}

/** @throws FatalError that names the section, key and line */
export function fail (section: Section, key: string, fault: string): never {
  const line = section.entries.get(key)?.line
  throw new FatalError(`${section.name}, ${key}${line === undefined ? '' : ` (line ${line})`}: ${fault}`)
}

/** A piece of the file for a message: on one line, and not longer than a person reads. */
export function quote (text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

export function wordsOf (section: Section, key: string): string[] {
  return textOf(section, key).split(/\s+/).filter(word => word !== '')
}

/** As C++ writes doubles; undefined when it is none. */
export function parseNumber (word: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) return Number(word)
  if (/^[+-]?inf(inity)?$/i.test(word)) return word.startsWith('-') ? -Infinity : Infinity
  return undefined
}

function parseAll (section: Section, key: string, length: number | undefined, parse: (word: string) => number | undefined, kind: string): number[] {
  const words = wordsOf(section, key)
  if (length !== undefined && words.length !== length) fail(section, key, `holds ${words.length} values, ${length} expected`)
  return words.map((word, i) => parse(word) ?? fail(section, key, `value ${i} is ${quote(word)}, not ${kind}`))
}

function treeSection (lines: readonly string[], tree: number, start: number, end: number): Section {
  const id = lines[start]?.slice(treeStart.length).trim() ?? ''
  if (id !== String(tree)) throw new FatalError(`line ${start + 1}: "Tree=${tree}" expected, found ${quote(lines[start] ?? '')}`)
  return section(`tree ${tree}`, lines, start + 1, end)
}

function section (name: string, lines: readonly string[], start: number, end: number): Section {
  const entries = new Map<string, Entry>()
  for (let i = start; i < end; i++) {
    const line = lines[i] ?? ''
    if (line.trim() === '') continue
    const at = line.indexOf('=')
    // A flag such as `average_output` stands alone.
    const key = at === -1 ? line.trim() : line.slice(0, at)
    if (!/^[a-z_]+$/.test(key)) throw new FatalError(`${name} (line ${i + 1}): "key=value" expected, found ${quote(line)}`)
    entries.set(key, { text: at === -1 ? '' : line.slice(at + 1).trim(), line: i + 1 })
  }
  return { name, entries }
}

function decode (bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new FatalError('not a LightGBM text model: it is not UTF-8 text; save one with booster.save_model("model.txt")')
  }
}

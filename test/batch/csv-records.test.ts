import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRecord, skipEmptyLines } from '../../src/batch/csv-records.ts'
import { wholeRecords } from '../../src/batch/record-ends.ts'

interface Found { readonly start: number, readonly cells: readonly string[], readonly fault: string | undefined }

function recordsOf (text: string): Found[] {
  const found: Found[] = []
  for (let at = skipEmptyLines(text, 0); at < text.length;) {
    const { cells, fault, end } = readRecord(text, at)
    found.push({ start: at, cells, fault })
    at = skipEmptyLines(text, end)
  }
  return found
}

/** The same of a text that comes in pieces, which end where `cuts` say; then what is left over. */
function cut (text: string, cuts: readonly number[] = []): { records: Omit<Found, 'start'>[], left: string } {
  const bytes = Buffer.from(text)
  const records: Found[] = []
  let rest = Buffer.alloc(0)
  let last = 0
  for (const end of [...cuts.filter(at => at < bytes.length).sort((a, b) => a - b), bytes.length]) {
    rest = Buffer.concat([rest, bytes.subarray(last, end)])
    last = end
    const whole = wholeRecords(rest, end === bytes.length)
    records.push(...recordsOf(rest.subarray(0, whole).toString()))
    rest = rest.subarray(whole)
  }
  return { records: records.map(({ cells, fault }) => ({ cells, fault })), left: rest.toString() }
}

const cell = fc.oneof(fc.string({ unit: fc.constantFrom('a', ' ', '"', ',', '\n', '\r', 'é', '😀'), maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 4 }))
const quoted = cell.map(text => `"${text.replaceAll('"', '""')}"`)
const plain = cell.map(text => text.replaceAll(/["\r\n,]/g, ''))
const line = fc.array(fc.oneof(quoted, plain), { minLength: 1, maxLength: 4 }).map(cells => cells.join(','))
const ending = fc.constantFrom('\n', '\r\n', '\n\n')
const csv = fc.array(fc.tuple(line, ending), { maxLength: 6 }).chain(lines => line.map(last => lines.map(([text, end]) => text + end).join('') + last)).filter(text => !text.startsWith('\uFEFF'))
const cuts = fc.array(fc.nat(80), { maxLength: 5 })

describe('records of CSV', () => {
  test('are what POST /predict reads, wherever the pieces end', () => {
    fc.assert(fc.property(csv, cuts, (text, cuts) => {
      const read = parse(text, { record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true })
      const { records, left } = cut(text, cuts)
      expect(records.map(({ cells, fault }) => fault ?? cells)).toEqual(read)
      expect(left).toBe('')
    }))
  })

  test('are the same for any text, wherever the pieces end', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r'), maxLength: 40 }), cuts, (text, cuts) => {
      expect(cut(text, cuts)).toEqual(cut(text))
    }), { numRuns: 1000 })
  })

  test.each([
    ['a"b,1\n2,3\n', 'a quote stands within a cell'],
    ['"a"b,1\n2,3\n', 'something follows a closing quote'],
    ['1,a"b"\r\n2,3\r\n', 'a quote stands within a cell'],
  ])('%j: one with a stray quote is a fault of its own', (text, fault) => {
    const { records: [bad, good] } = cut(text, [3, 5, 7])
    expect(bad?.fault).toContain(fault)
    expect(bad?.cells).toEqual([text.split(/\r?\n/)[0]])
    expect(good).toEqual({ cells: ['2', '3'], fault: undefined })
  })

  test('do not come of a quote that is not closed', () => {
    expect(cut('a,b\n1,"2\n3,4\n')).toEqual({ records: [{ cells: ['a', 'b'], fault: undefined }], left: '1,"2\n3,4\n' })
  })
})

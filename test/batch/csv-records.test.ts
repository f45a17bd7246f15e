import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvRecord, CsvRecords } from '../../src/batch/csv-records.ts'

/** Cuts a text that comes in pieces, which end where `cuts` say. */
function cut (text: string, cuts: readonly number[] = []): CsvRecord[] {
  const records = new CsvRecords('rows.csv')
  const ends = [...cuts.filter(at => at < text.length).sort((a, b) => a - b), text.length]
  return [...ends.flatMap((end, i) => records.push(text.slice(ends[i - 1] ?? 0, end))), ...records.end()]
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
      expect(cut(text, cuts).map(({ cells, fault }) => fault ?? cells)).toEqual(read)
    }))
  })

  test('are the same for any text, wherever the pieces end', () => {
    const outcome = (text: string, cuts: readonly number[]): unknown => {
      try {
        return cut(text, cuts)
      } catch (error) {
        return (error as Error).message
      }
    }
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r'), maxLength: 40 }), cuts, (text, cuts) => {
      expect(outcome(text, cuts)).toEqual(outcome(text, []))
    }))
  })

  test('know the line on which they begin', () => {
    expect(cut('a,b\n\n"x\ny",1\r\n2,3').map(({ line, cells }) => [line, ...cells])).toEqual([[1, 'a', 'b'], [3, 'x\ny', '1'], [5, '2', '3']])
  })

  test.each([
    ['a"b,1\n2,3\n', 'a quote stands within a cell'],
    ['"a"b,1\n2,3\n', 'something follows a closing quote'],
    ['1,a"b"\r\n2,3\r\n', 'a quote stands within a cell'],
  ])('%j: one with a stray quote is a fault of its own', (text, fault) => {
    const [bad, good] = cut(text)
    expect(bad?.fault).toContain(fault)
    expect(bad?.cells).toEqual([text.split(/\r?\n/)[0]])
    expect(good).toEqual({ line: 2, cells: ['2', '3'], fault: undefined })
  })

  test('end where a quote is not closed, with the line', () => {
    expect(() => cut('a,b\n1,"2\n3,4\n')).toThrow('rows.csv: what begins on line 2 does not end')
    const endless = new CsvRecords('rows.csv')
    expect(() => { for (;;) endless.push('"'.padEnd(2 ** 20, 'a')) }).toThrow('line 1')
  })
})

import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { shopCsv } from './shop.ts'

const usage = 'Usage: npx tsx demo/make-shop.ts --output FILE.csv [--transactions 200000] [--seed 42]\n'

const { values: { output, transactions: rows = '200000', seed = '42' } } = parseArgs({
  options: { output: { type: 'string' }, transactions: { type: 'string' }, seed: { type: 'string' } },
})
if (output === undefined || !/^[1-9]\d{0,7}$/.test(rows) || !/^\d{1,9}$/.test(seed)) {
  process.stderr.write(usage)
  process.exit(2)
}

const draft = `${output}.${process.pid}.part`
let written = 0
try {
  await mkdir(dirname(output), { recursive: true })
  await pipeline(Readable.from(inPieces(shopCsv({ transactions: Number(rows), seed: Number(seed) }))), createWriteStream(draft))
  await rename(draft, output)
  process.stdout.write(`${output}: ${(written - 1).toLocaleString('en')} rows\n`)
} catch (error) {
  await rm(draft, { force: true })
  process.stderr.write(`${output} cannot be written: ${(error as Error).message}\n`)
  process.exitCode = 1
}

/** Larger pieces: a write for each invoice would take longer than making them. */
function * inPieces (texts: Iterable<string>): Generator<string> {
  let piece = ''
  for (const text of texts) {
    piece += text
    if (piece.length < 2 ** 18) continue
    written += countLines(piece)
    yield piece
    piece = ''
  }
  written += countLines(piece)
  yield piece
}

function countLines (text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines++
  return lines
}

import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { model, node } from '../../src/onnx/build.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import { type Files, flowerFiles } from '../helpers/models.ts'
import { protocolTable } from '../helpers/protocol-table.ts'
import { type EchoDatatype, type TestAnswer, type TestTensor, echoModels, echoTypes, frame, infer, post, writeRequest } from './oip-client.ts'

const { rule, ruleEach, table } = protocolTable('Open Inference Protocol v2: binary tensors')
const inferRoute = 'POST /v2/models/{m}/infer'

/** Three inputs as they are. */
const trio: Files = {
  'model.onnx': model({
    graph: {
      inputs: [{ name: 'a', type: 'int8', shape: ['n'] }, { name: 'b', type: 'float64', shape: ['m'] }, { name: 'c', type: 'string', shape: ['k'] }],
      outputs: [{ name: 'A', type: 'int8', shape: ['n'] }, { name: 'B', type: 'float64', shape: ['m'] }, { name: 'C', type: 'string', shape: ['k'] }],
      nodes: [node('Identity', ['a'], ['A']), node('Identity', ['b'], ['B']), node('Identity', ['c'], ['C'])],
    },
  }),
}

let server: TestApp
beforeAll(async () => {
  server = await startApp({ 'trio/1': trio, 'flower/1.0.0': flowerFiles(), ...echoModels() }, { DEFAULT_MODEL: 'flower', BODY_LIMIT: '1mb', RATE_LIMIT_MAX: '100000' })
})
afterAll(async () => { await server.close() })

const doubles = (...values: number[]): Buffer => Buffer.from(Float64Array.from(values).buffer)
const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer)

const three: TestTensor[] = [
  { name: 'a', datatype: 'INT8', shape: [3], bytes: Buffer.from([1, 2, 255]) },
  { name: 'b', datatype: 'FP64', shape: [2], bytes: doubles(0.1, NaN) },
  { name: 'c', datatype: 'BYTES', shape: [2], bytes: frame('', 'grün') },
]
const inBinary = { binary_data_output: true }

/** What an echo gives back of one binary tensor, in binary. */
async function echo (datatype: string, shape: readonly number[], bytes: Uint8Array): Promise<TestAnswer> {
  return await infer(server, datatype, { inputs: [{ datatype, shape, bytes }], parameters: inBinary })
}

ruleEach(inferRoute, 'takes and answers the bytes of every datatype', [
  ['BOOL', Buffer.from([1, 0])],
  ['INT8', Buffer.from([128, 127])],
  ['INT16', Buffer.from(Int16Array.of(-32768, 32767).buffer)],
  ['INT32', Buffer.from(Int32Array.of(-(2 ** 31), 7).buffer)],
  ['INT64', Buffer.from(BigInt64Array.of(-(2n ** 63n), 2n ** 53n + 1n).buffer)],
  ['UINT8', Buffer.from([255, 0])],
  ['UINT16', Buffer.from(Uint16Array.of(65535, 1).buffer)],
  ['UINT32', Buffer.from(Uint32Array.of(2 ** 32 - 1, 1).buffer)],
  ['UINT64', Buffer.from(BigUint64Array.of(2n ** 64n - 1n, 1n).buffer)],
  ['FP16', Buffer.from(Uint16Array.of(0x3c00, 0xfc00).buffer)],
  ['FP32', floats(0.1, -Infinity)],
  ['FP64', doubles(5e-324, NaN)],
  ['BYTES', frame('größer 🌷', '')],
] as const, async (datatype, bytes) => {
  const { status, headers, body, binary } = await echo(datatype, [2, 1], bytes)
  expect([status, headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
  expect(body.outputs).toEqual([{ name: 'y', datatype, shape: [2, 1], parameters: { binary_data_size: bytes.length } }])
  expect(binary).toEqual({ y: bytes })
})

rule(inferRoute, 'takes several tensors in their order, wherever their bytes begin', async () => {
  // An id of each length moves the bytes behind the JSON to every remainder.
  for (const id of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdef', 'abcdefg']) {
    const { body, binary } = await infer(server, 'trio', { id, inputs: three, parameters: inBinary })
    expect(body.id).toBe(id)
    expect(binary).toEqual({ A: three[0]?.bytes, B: three[1]?.bytes, C: three[2]?.bytes })
  }
})

rule(inferRoute, 'takes JSON beside binary tensors', async () => {
  const { body } = await infer(server, 'trio', { inputs: [{ name: 'b', datatype: 'FP64', shape: [1], data: [0.5] }, ...three.filter(({ name }) => name !== 'b')] })
  expect(body.outputs.map((output: { data: unknown }) => output.data)).toEqual([[1, 2, -1], [0.5], ['', 'grün']])
})

rule(inferRoute, 'answers in binary as each output says, else as the request does', async () => {
  const outputs = [{ name: 'C', parameters: { binary_data: true } }, { name: 'A' }, { name: 'B', parameters: { binary_data: false } }]
  const some = await infer(server, 'trio', { inputs: three, outputs })
  expect(Object.keys(some.binary)).toEqual(['C'])
  const others = await infer(server, 'trio', { inputs: three, outputs, parameters: inBinary })
  expect(Object.keys(others.binary)).toEqual(['C', 'A'])
  expect(others.body.outputs[2].data).toEqual([0.1, null])
})

rule(inferRoute, 'answers in binary to a request in JSON', async () => {
  const { binary } = await infer(server, 'FP32', { inputs: [{ datatype: 'FP32', shape: [2], data: [0.5, null] }], parameters: inBinary })
  expect(binary['y']).toEqual(floats(0.5, NaN))
})

ruleEach(inferRoute, 'takes and answers no bytes for no elements, and one element for a scalar', [
  ['no numbers', 'FP32', [0, 4], Buffer.alloc(0)],
  ['no texts', 'BYTES', [3, 0], Buffer.alloc(0)],
  ['a scalar', 'FP64', [], doubles(7)],
] as const, async (_, datatype, shape, bytes) => {
  const { body, binary } = await echo(datatype, shape, bytes)
  expect([body.outputs[0].shape, binary['y']]).toEqual([shape, bytes])
})

rule(inferRoute, 'streams a large answer', async () => {
  const bytes = floats(...Array.from({ length: 100_000 }, (_, i) => i / 7))
  const { headers, binary } = await echo('FP32', [100_000], bytes)
  expect(binary['y']?.equals(bytes)).toBe(true)
  expect(Number(headers.get('content-length'))).toBeGreaterThan(bytes.length)
})

rule(inferRoute, 'takes named columns in binary', async () => {
  const answer = await infer(server, 'flower', {
    inputs: [{ name: 'length', datatype: 'FP32', shape: [2], bytes: floats(6, 2) }, { name: 'kind', datatype: 'BYTES', shape: [2, 1], bytes: frame('red', 'blue') }],
    outputs: [{ name: 'label' }],
  })
  expect(answer.body.outputs[0].data).toEqual([0, 1])
})

ruleEach(inferRoute, 'takes a compressed body, the header telling the length of the JSON before that', [
  ['gzip', gzipSync], ['deflate', deflateSync],
] as const, async (encoding, compress) => {
  const { json, body } = writeRequest({ inputs: three, parameters: inBinary })
  const answer = await post(server, 'trio', compress(body), { 'content-encoding': encoding, 'inference-header-content-length': String(json.length) })
  expect(answer.binary['B']).toEqual(three[1]?.bytes)
})

ruleEach(inferRoute, 'refuses a body that is not compressed as it says, or unfolds beyond the limit', [
  ['not gzip', 'gzip', Buffer.from('{}'), 400],
  ['cut off', 'gzip', gzipSync('{"inputs": []}').subarray(0, 12), 400],
  ['a bomb', 'gzip', gzipSync(Buffer.alloc(50_000_000)), 413],
  ['a bomb', 'deflate', deflateSync(Buffer.alloc(50_000_000)), 413],
  ['another encoding', 'br', Buffer.from('{}'), 415],
  ['two encodings', 'gzip, gzip', Buffer.from('{}'), 415],
] as const, async (_, encoding, body, status) => {
  const answer = await post(server, 'trio', body, { 'content-encoding': encoding })
  expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String) }])
})

ruleEach(inferRoute, '400 for a header that cannot be the length of the JSON', [
  ['more than the body', '5000', 'has only'], ['less than the JSON', '20', 'not valid JSON'], ['negative', '-1', 'must be the number of bytes'], ['no number', 'many', 'many'],
  ['half a byte', '1.5', '1.5'], ['in hexadecimal', '0x10', '0x10'], ['beyond all numbers', '9'.repeat(400), '9999'], ['nothing', '0', 'empty'],
], async (_, length, words) => {
  const answer = await infer(server, 'trio', { inputs: three }, { 'inference-header-content-length': length })
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
})

const inputs = (different: object, bytes: Uint8Array, more = Buffer.alloc(0)): TestTensor[] => [
  { name: 'x', datatype: 'FP32', shape: [2], bytes, ...different }, ...more.length === 0 ? [] : [{ name: 'x', datatype: 'FP32', shape: [1], bytes: more }],
]

ruleEach(inferRoute, '400 for sizes that lie', [
  ['fewer bytes than the shape needs', 'FP32', inputs({}, Buffer.alloc(4)), 'must have 8 bytes for FP32 of the shape [2]; binary_data_size is 4'],
  ['more', 'FP32', inputs({}, Buffer.alloc(12)), 'must have 8 bytes'],
  ['a shape for terabytes', 'FP32', inputs({ shape: [2 ** 20, 2 ** 20] }, Buffer.alloc(8)), 'must have 4398046511104 bytes'],
  ['a shape beyond counting', 'FP32', inputs({ shape: [2 ** 40, 2 ** 40] }, Buffer.alloc(8)), 'is too large'],
  ['a size beyond the body', 'FP32', inputs({ parameters: { binary_data_size: 800 } }, Buffer.alloc(8)), 'is 800, and the body has 8 bytes left'],
  ['a size of terabytes', 'FP32', inputs({ parameters: { binary_data_size: 2 ** 50 } }, Buffer.alloc(8)), 'the body has 8 bytes left'],
  ['a negative size', 'FP32', inputs({ parameters: { binary_data_size: -8 } }, Buffer.alloc(8)), 'must be a number of bytes, not -8'],
  ['half a byte', 'FP32', inputs({ parameters: { binary_data_size: 7.5 } }, Buffer.alloc(8)), 'must be a number of bytes'],
  ['a size that is a text', 'FP32', inputs({ parameters: { binary_data_size: '8' } }, Buffer.alloc(8)), 'must be a number of bytes, not "8"'],
  ['bytes that belong to no input', 'FP32', inputs({ parameters: { binary_data_size: 8 } }, Buffer.alloc(11)), '3 bytes behind the JSON that belong to no input'],
  ['data beside bytes', 'FP32', inputs({ data: [1, 2] }, Buffer.alloc(8)), 'has both data and binary_data_size'],
  ['the same input twice', 'FP32', inputs({}, Buffer.alloc(8), Buffer.alloc(4)), 'occurs twice'],
  ['more texts than there are bytes', 'BYTES', inputs({ datatype: 'BYTES', shape: [1_000_000_000] }, frame('a')), 'must have at least 4000000000 bytes'],
  ['a text longer than the rest', 'BYTES', inputs({ datatype: 'BYTES', shape: [1] }, Buffer.from([255, 255, 255, 255, 1])), '1 bytes left for element 0, which says that it has 4294967295'],
  ['too few texts', 'BYTES', inputs({ datatype: 'BYTES' }, frame('a', 'b', 'c')), 'has 5 bytes more than its 2 elements'],
  ['a cut length', 'BYTES', inputs({ datatype: 'BYTES' }, frame('abcd').subarray(0, 8)), 'ends before element 1 of 2'],
] as const, async (_, name, list, words) => {
  const answer = await infer(server, name, { inputs: list })
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
})

ruleEach(inferRoute, '400 for bytes that are no values', [
  ['a BOOL of 2', 'BOOL', Buffer.from([1, 2]), 'byte 1 is 2'],
  ['a text with U+0000', 'BYTES', frame('a', 'b\0c'), 'U+0000 in element 1'],
  ['a text that is not UTF-8', 'BYTES', frame('a', Uint8Array.of(0xff, 0xfe)), 'element 1 is not'],
] as const, async (_, datatype, bytes, words) => {
  const answer = await echo(datatype, [2], bytes)
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining(words) }])
})

rule(inferRoute, '400 for binary_data_size without the header', async () => {
  const { body } = writeRequest({ inputs: [{ datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } }] })
  const answer = await post(server, 'FP32', body)
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringContaining('Inference-Header-Content-Length') }])
})

const bits = (bytes: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: bytes, maxLength: bytes })
const widths: Record<Exclude<EchoDatatype, 'BYTES'>, number> = { BOOL: 1, INT8: 1, INT16: 2, INT32: 4, INT64: 8, UINT8: 1, UINT16: 2, UINT32: 4, UINT64: 8, FP16: 2, FP32: 4, FP64: 8 }
const texts = fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\0', ''))

const anyTensor = fc.tuple(fc.constantFrom(...Object.keys(echoTypes) as EchoDatatype[]), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }))
  .chain(([datatype, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const bytes = datatype === 'BYTES'
      ? fc.array(texts, { minLength: count, maxLength: count }).map(list => frame(...list))
      : bits(count * widths[datatype]).map(list => Buffer.from(datatype === 'BOOL' ? list.map(bit => bit & 1) : list))
    return fc.record({ datatype: fc.constant(datatype), shape: fc.constant(shape), bytes })
  })

rule(inferRoute, 'any tensor comes back bit by bit from binary to binary', async () => {
  await fc.assert(fc.asyncProperty(anyTensor, fc.string(), async ({ datatype, shape, bytes }, id) => {
    const { body, binary } = await infer(server, datatype, { id, inputs: [{ datatype, shape, bytes }], parameters: inBinary })
    expect(body.outputs).toEqual([{ name: 'y', datatype, shape, parameters: { binary_data_size: bytes.length } }])
    expect(binary['y']?.equals(bytes)).toBe(true)
  }), { numRuns: 150 })
})

/** What JSON can say: no infinity, and one NaN. */
function isPlain (datatype: EchoDatatype, bytes: Buffer): boolean {
  const all = (numbers: number[]): boolean => numbers.every(Number.isFinite)
  const { buffer } = Uint8Array.from(bytes)
  if (datatype === 'FP64') return all([...new Float64Array(buffer)])
  if (datatype === 'FP32') return all([...new Float32Array(buffer)])
  return datatype !== 'FP16' || [...new Uint16Array(buffer)].every(half => (half & 0x7c00) !== 0x7c00)
}

rule(inferRoute, 'any finite tensor comes back bit by bit through JSON', async () => {
  const finite = anyTensor.filter(({ datatype, bytes }) => isPlain(datatype, bytes))
  await fc.assert(fc.asyncProperty(finite, async ({ datatype, shape, bytes }) => {
    const url = `${server.url}/v2/models/${datatype}/infer`
    const headers = { authorization: `Bearer ${server.token}` }
    const { json, body } = writeRequest({ inputs: [{ datatype, shape, bytes }] })
    const text = await (await fetch(url, { method: 'POST', body, headers: { ...headers, 'inference-header-content-length': String(json.length) } })).text()
    // Numbers stay text here, for a double would round some of them.
    const data = /"data":(\[.*\])\}\]\}$/s.exec(text)?.[1]
    const back = Buffer.from(`{"inputs":[{"name":"x","datatype":"${datatype}","shape":${JSON.stringify(shape)},"data":${data}}],"parameters":{"binary_data_output":true}}`)
    const { binary } = await post(server, datatype, back)
    expect(binary['y']?.equals(bytes)).toBe(true)
  }), { numRuns: 150 })
})

type Mutation = (request: { body: Buffer, header: string }) => { body: Buffer, header: string }

const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })).map(([at, byte]): Mutation => ({ body, header }) => {
    const changed = Buffer.from(body)
    changed[at % body.length] = byte
    return { body: changed, header }
  }),
  fc.nat(400).map((at): Mutation => ({ body, header }) => ({ body: body.subarray(0, at % body.length), header })),
  fc.tuple(fc.nat(400), bits(3)).map(([at, more]): Mutation => ({ body, header }) => ({ body: Buffer.concat([body.subarray(0, at), more, body.subarray(at)]), header })),
  fc.tuple(fc.nat(400), fc.nat(20)).map(([at, length]): Mutation => ({ body, header }) => ({ body: Buffer.concat([body.subarray(0, at), body.subarray(at + length)]), header })),
  fc.tuple(fc.constantFrom('3', '2', '0', '8', '"a"', 'INT8', '[', '{'), fc.constantFrom('-1', '9007199254740993', '1e99', '', 'null', 'FP16', '4294967295', '[[', '{}')).map(([from, to]): Mutation => ({ body, header }) => {
    const [json, binary] = [body.subarray(0, Number(header)).toString('latin1').replace(from, to), body.subarray(Number(header))]
    return { body: Buffer.concat([Buffer.from(json, 'latin1'), binary]), header: String(json.length) }
  }),
  fc.oneof(fc.integer({ min: -5, max: 500 }).map(String), fc.constantFrom('', 'NaN', '1e3', ' ', '999999999999999999999')).map((header): Mutation => ({ body }) => ({ body, header }))
)

rule(inferRoute, 'a request with random faults is answered 200 or 4xx in this protocol\'s shape', async () => {
  const { json, body } = writeRequest({ id: 'f', inputs: three, outputs: [{ name: 'A' }, { name: 'C', parameters: { binary_data: true } }] })
  await fc.assert(fc.asyncProperty(fc.array(anyMutation, { minLength: 1, maxLength: 4 }), async mutations => {
    const sent = mutations.reduce((request, mutate) => mutate(request), { body, header: String(json.length) })
    const answer = await server.app.inject({
      method: 'POST', url: '/v2/models/trio/infer', payload: sent.body, headers: { authorization: `Bearer ${server.token}`, 'inference-header-content-length': sent.header },
    })
    expect(answer.statusCode).toBeLessThan(500)
    if (answer.statusCode !== 200) expect(answer.json()).toEqual({ error: expect.any(String) })
  }), { numRuns: 600 })
})

rule(inferRoute, 'any JSON in any place is answered 200 or 4xx in this protocol\'s shape', async () => {
  const request = { id: 'f', parameters: { binary_data_output: false }, inputs: [{ name: 'x', datatype: 'INT64', shape: [2, 1], data: [[1], [2]], parameters: {} }], outputs: [{ name: 'y', parameters: {} }] }
  const places = [['id'], ['parameters'], ['parameters', 'binary_data_output'], ['inputs'], ['inputs', '0'], ...['name', 'datatype', 'shape', 'data', 'parameters'].map(key => ['inputs', '0', key]),
    ['inputs', '0', 'shape', '0'], ['inputs', '0', 'data', '1'], ['inputs', '0', 'data', '0', '0'], ['outputs'], ['outputs', '0'], ['outputs', '0', 'name'], ['outputs', '0', 'parameters']]
  await fc.assert(fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue(), async (place, value) => {
    const payload = structuredClone(request) as Record<string, unknown>
    const holder = place.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, payload)
    holder[place.at(-1) ?? ''] = value
    const answer = await server.app.inject({ method: 'POST', url: '/v2/models/INT64/infer', payload, headers: { authorization: `Bearer ${server.token}` } })
    expect(answer.statusCode).toBeLessThan(500)
    if (answer.statusCode !== 200) expect(answer.json()).toEqual({ error: expect.any(String) })
  }), { numRuns: 400 })
})

table()

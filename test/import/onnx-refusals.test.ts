import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { EngineHost } from '../../src/engine/engine.ts'
import { importOnnx } from '../../src/import/onnx.ts'
import { type ModelDefinition, floats, model, node } from '../../src/onnx/build.ts'
import { type ModelProto, ModelProtoSchema, TypeProtoSchema } from '../../src/onnx/onnx_pb.ts'
import { deepestTree } from '../../src/onnx/read-trees.ts'
import { readModel } from '../../src/onnx/read.ts'
import { type Bench, bench } from '../cli/import-verb.ts'
import { classifier, logits, regressor } from './onnx-graphs.ts'

let place: Bench

beforeEach(async () => { place = await bench() })
afterEach(() => place.remove())

const noHost: EngineHost = { open: async () => { throw new Error('the runtime must not see it') }, close: async () => {} }

const latin = (text: string) => Buffer.from(text, 'latin1')

/** x → y by one node. */
function oneNode (op: string, options: Partial<ModelDefinition> = {}, domain = ''): Uint8Array {
  const value = { type: 'float32', shape: ['N', 2] } as const
  return model({ ...options, graph: { inputs: [{ name: 'x', ...value }], outputs: [{ name: 'y', ...value }], nodes: [node(op, ['x'], ['y'], {}, domain)] } })
}

/** A model after a change that build.ts does not know. */
function changed (bytes: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, bytes)
  change(proto)
  return toBinary(ModelProtoSchema, proto)
}

function typed (elemType: number): Uint8Array {
  return changed(oneNode('Identity'), ({ graph }) => {
    for (const info of [graph!.input[0]!, graph!.output[0]!]) info.type = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType } } })
  })
}

const sequence = changed(oneNode('SequenceConstruct'), ({ graph }) => {
  graph!.output[0]!.type = create(TypeProtoSchema, { value: { case: 'sequenceType', value: { elemType: { value: { case: 'tensorType', value: { elemType: 1 } } } } } })
})

const innerZipMap = changed(classifier({ zipMap: true }), ({ graph }) => {
  graph!.output[1]!.name = 'm'
  graph!.node.at(-1)!.output[0] = 'maps'
  graph!.node.push({ ...graph!.node.at(-1)!, opType: 'SequenceIdentity', domain: 'local', input: ['maps'], output: ['m'], attribute: [] })
})

/** A tree in which every node's second child is a leaf: as many levels as it has tests. */
function deepTree (levels: number, op: 'TreeEnsembleRegressor' | 'TreeEnsemble'): Uint8Array {
  const ids = Array.from({ length: levels }, (_, i) => i)
  const old = {
    nodes_treeids: new Int32Array(2 * levels + 1),
    nodes_nodeids: Int32Array.from([...ids, ...ids.map(i => levels + i), 2 * levels]),
    nodes_featureids: new Int32Array(2 * levels + 1),
    nodes_values: new Float32Array(2 * levels + 1),
    nodes_modes: [...ids.map(() => 'BRANCH_LEQ'), ...ids.map(() => 'LEAF'), 'LEAF'],
    nodes_truenodeids: Int32Array.from([...ids.map(i => i + 1 < levels ? i + 1 : 2 * levels), ...ids.map(() => 0), 0]),
    nodes_falsenodeids: Int32Array.from([...ids.map(i => levels + i), ...ids.map(() => 0), 0]),
    target_treeids: Int32Array.of(0),
    target_nodeids: Int32Array.of(2 * levels),
    target_ids: Int32Array.of(0),
    target_weights: Float32Array.of(1),
    n_targets: 1n,
  }
  const now = {
    nodes_featureids: new Int32Array(levels),
    nodes_splits: floats(new Array<number>(levels).fill(0)),
    nodes_modes: { type: 'uint8', shape: [levels], data: new Uint8Array(levels) } as const,
    nodes_truenodeids: Int32Array.from(ids.map(i => i + 1 < levels ? i + 1 : 0)),
    nodes_trueleafs: Int32Array.from(ids.map(i => i + 1 < levels ? 0 : 1)),
    nodes_falsenodeids: new Int32Array(levels),
    nodes_falseleafs: new Int32Array(levels).fill(1),
    tree_roots: Int32Array.of(0),
    leaf_targetids: Int32Array.of(0),
    leaf_weights: floats([1]),
    n_targets: 1n,
  }
  return model({
    opset: 21,
    mlOpset: op === 'TreeEnsemble' ? 5 : 3,
    irVersion: 10,
    graph: {
      inputs: [{ name: 'X', type: 'float32', shape: ['N', 1] }],
      outputs: [{ name: 'variable', type: 'float32', shape: ['N', 1] }],
      nodes: [node(op, ['X'], ['variable'], op === 'TreeEnsemble' ? now : old, 'ai.onnx.ml')],
    },
  })
}

test.each(['TreeEnsembleRegressor', 'TreeEnsemble'] as const)('a %s that is deeper than the runtime survives is refused, and one at the limit is not', async op => {
  await expect(importOnnx({ file: 'deep.onnx', bytes: deepTree(20_000, op) }, {}, noHost)).rejects.toThrow(new RegExp(`a tree of its ${op} is 20000 levels deep, and the runtime takes 1000 safely`))
  expect(deepestTree(readModel(deepTree(1000, op)))?.depth).toBe(1000)
})

test.each<[string, Uint8Array | string, RegExp]>([
  ['an opset that is too new', oneNode('Identity', { opset: 99 }), /made of version 99 of the operators of ai\.onnx, and the runtime knows them up to \d+: export it with an opset of \d+ or lower/],
  ['ai.onnx.ml that is too new', oneNode('Identity', { mlOpset: 99 }), /version 99 of the operators of ai\.onnx\.ml/],
  ['a format that is too new', oneNode('Identity', { irVersion: 99 }), /written in version 99 of the format, and the runtime reads up to \d+: .*older onnx package/],
  ['an operator that nobody knows', oneNode('Nonsense'), /the operator Nonsense, which version 17 of its domain does not have/],
  ['an operator of another domain', oneNode('Tokenize', {}, 'com.example'), /operators of the domain com\.example, .*export the model with standard operators/],
  ['complex numbers', typed(14), /its input "x" is of the type complex64, and only tensors of numbers, truth values or texts can be served/],
  ['bfloat16', typed(16), /its input "x" is of the type bfloat16/],
  ['a list of tensors', sequence, /its output "y" is of the type list of float32/],
  ['a ZipMap that is not at the end', innerZipMap, /its output "m" is of the type list of map from int64 to float32/],
  ['an edge that leads nowhere', changed(oneNode('Identity'), ({ graph }) => { graph!.node[0]!.input[0] = 'z' }), /the runtime cannot run it: .*'z' is not a graph input/],
  ['a file that was cut off', classifier().subarray(0, 200), /not an ONNX file, or it was cut off or damaged on its way/],
  ['ONNX without a graph', toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n })), /it has no graph/],
  ['an empty file', '', /it is empty/],
  ['a pickle', latin('\x80\x04\x95rest'), /a Python pickle .*skl2onnx/],
  ['a compressed joblib file', latin('\x78\x9crest'), /compressed, as joblib writes it: .*skl2onnx/],
  ['PyTorch', latin('PK\x03\x04\0\0archive/data.pkl'), /as PyTorch .*torch\.onnx\.export/],
  ['Keras', latin('PK\x03\x04\0\0metadata.json'), /Keras archive .*model\.export/],
  ['NumPy', latin('PK\x03\x04\0\0weights.npy'), /NumPy archive/],
  ['HDF5', latin('\x89HDF\r\n\x1a\n'), /HDF5 .*tf2onnx/],
  ['XGBoost in UBJSON', latin('{L\0\0\0\0\0\0\0\x07learner'), /XGBoost's binary form \(\.ubj\): .*save_model\("model\.json"\)/],
  ['XGBoost of old', 'binf\0\0', /XGBoost's old binary form/],
  ['LightGBM in JSON', '{"name": "tree", "tree_info": []}', /LightGBM's JSON dump: .*save_model\("model\.txt"\)/],
  ['other JSON', '{"a": 1}', /JSON, but not XGBoost's/],
  ['CatBoost', 'CBM1....', /CatBoost model .*format="onnx"/],
  ['TensorFlow Lite', '\x1c\0\0\0TFL3', /TensorFlow Lite/],
  ['the runtime\'s own form', '\x1c\0\0\0ORTM', /\.ort.*the \.onnx that it was made from/],
  ['safetensors', latin('\x40\0\0\0\0\0\0\0{"w":{}}'), /safetensors/],
  ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\n', /git lfs pull/],
  ['a web page', '<!DOCTYPE html><html>', /web page/],
  ['gzip', latin('\x1f\x8b\x08'), /gunzip/],
  ['a table', 'a,b\n1,2\n', /text that is neither ONNX nor XGBoost's JSON nor LightGBM's text/],
])('%s is refused with the reason and what to do, and nothing is left behind', async (_, bytes, reason) => {
  await place.files({ 'given.onnx': bytes })
  const { code, out, err } = await place.run('import', '{}/given.onnx', '--name', 'm', '--version', '1')
  expect(err).toMatch(reason)
  expect(err.startsWith(`modelport import: ${place.folder}/given.onnx: `)).toBe(true)
  expect(err.split('\n')).toHaveLength(1)
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(await readdir(place.folder)).toEqual(['given.onnx'])
})

const features = (content: object) => ({ 'features.json': content })

test.each<[string, Uint8Array, Record<string, object>, string[], RegExp]>([
  ['too few features', classifier(), features(['a', 'b']), ['--features', '{}/features.json'], /--features: it has 2 features, and the model takes 3: f0, f1, f2/],
  ['a text in a matrix', classifier(), features(['a', 'b', { name: 'c', type: 'string' }]), ['--features', '{}/features.json'], /--features: the feature "c" is a string, and the model takes a number or integer or boolean there/],
  ['a reserved name', classifier(), features(['a', 'b', 'instances']), ['--features', '{}/features.json'], /"instances" is reserved/],
  ['a name that occurs twice', classifier(), features(['a', 'b', 'a']), ['--features', '{}/features.json'], /"a" occurs twice/],
  ['too few labels', classifier(), {}, ['--labels', 'a,b'], /tells 3 classes apart \(0, 1, 2\), and --labels names 2/],
  ['other labels than the model\'s', classifier({ labels: { strings: ['a', 'b', 'c'] } }), {}, ['--labels', 'c,b,a'], /names its classes itself: a, b, c; leave --labels out/],
  ['labels for a model without such an output', regressor(), {}, ['--labels', 'a,b,c'], /no output with a class a row, and none with 3 probabilities a row; its outputs are "variable"/],
  ['features for a model that means nothing', logits(), features(['a', 'b']), ['--features', '{}/features.json'], /nothing in it says whether it classifies or regresses: give --task/],
  ['a regression of several numbers', logits(), {}, ['--task', 'regression'], /no output with one number a row/],
  ['a preprocessor that gives something else', classifier(), { 'before.json': {} }, ['--preprocessor', '{}/given.onnx'], /gives "label", "probabilities", and the model takes "X"/],
])('%s: refused with what would fit', async (_, bytes, files, flags, reason) => {
  await place.files({ 'given.onnx': bytes, ...files })
  const { code, err } = await place.run('import', '{}/given.onnx', '--name', 'm', '--version', '1', ...flags)
  expect(err).toMatch(reason)
  expect(code).toBe(1)
  expect(await readdir(place.folder)).not.toContain('models')
})

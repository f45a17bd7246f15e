import { FatalError } from '../errors.ts'
/** What an import can read. */
export type FileKind = 'onnx' | 'xgboost' | 'lightgbm'

/** A file by its first bytes, and what to do with one that cannot be read as it is. */
interface Foreign { readonly what: string, readonly remedy: string, readonly is: (head: Uint8Array, text: string) => boolean }

const sklearn = 'convert it where it was trained: skl2onnx for scikit-learn (docs/import.md)'
const torch = 'in Python, load it and export with torch.onnx.export(model, example, "model.onnx") (docs/import.md)'

const foreign: readonly Foreign[] = [
  { what: 'empty', remedy: 'write it again', is: head => head.length === 0 },
  { what: 'a pointer of Git LFS, not the file itself', remedy: 'run `git lfs pull`', is: (_, text) => text.startsWith('version https://git-lfs') },
  { what: 'a web page', remedy: 'download the file itself, not the page about it', is: (_, text) => /^\s*<(!doctype )?html/i.test(text) },
  { what: 'a Python pickle (.pkl, .joblib)', remedy: sklearn, is: head => head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5 },
  { what: 'compressed, as joblib writes it', remedy: sklearn, is: head => head[0] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(head[1]!) },
  { what: 'gzip', remedy: 'unpack it first: gunzip', is: head => head[0] === 0x1f && head[1] === 0x8b },
  { what: 'a Keras archive (.keras)', remedy: 'in Python, model.export("model.onnx", format="onnx") (Keras 3.10 or newer), or tf2onnx', is: (_, text) => text.startsWith('PK') && /metadata\.json|config\.json/.test(text) },
  { what: 'a NumPy archive (.npz)', remedy: 'that holds arrays, not a model: export the model as ONNX', is: (_, text) => text.startsWith('PK') && text.includes('.npy') },
  { what: 'a ZIP archive, as PyTorch (.pt, .pth) writes it', remedy: `${torch}; another archive: unpack it first`, is: (_, text) => text.startsWith('PK\x03\x04') },
  { what: 'HDF5 (.h5, Keras)', remedy: 'in Python: python -m tf2onnx.convert --keras model.h5 --output model.onnx', is: head => latin(head.subarray(1, 4)) === 'HDF' },
  { what: 'XGBoost\'s binary form (.ubj)', remedy: 'in Python: booster.save_model("model.json")', is: head => head[0] === 0x7b && [0x4c, 0x55, 0x69, 0x23, 0x24].includes(head[1]!) },
  { what: 'XGBoost\'s old binary form', remedy: 'in Python: booster.save_model("model.json")', is: (_, text) => text.startsWith('binf') || text.startsWith('bs64') },
  { what: 'a CatBoost model (.cbm)', remedy: 'in Python: model.save_model("model.onnx", format="onnx")', is: (_, text) => text.startsWith('CBM1') },
  { what: 'TensorFlow Lite', remedy: 'in Python: python -m tf2onnx.convert --tflite model.tflite --output model.onnx', is: (_, text) => text.startsWith('TFL', 4) },
  { what: 'the inference runtime\'s own form (.ort)', remedy: 'give the .onnx that it was made from', is: (_, text) => text.startsWith('ORTM', 4) },
  { what: 'safetensors, which holds weights without the model', remedy: torch, is: (_, text) => text.startsWith('{"', 8) && text.slice(0, 8).includes('\0') },
  { what: 'GGUF', remedy: 'language models in that form need another server', is: (_, text) => text.startsWith('GGUF') },
  { what: 'XML, perhaps PMML', remedy: 'export the model as ONNX', is: (_, text) => text.startsWith('<?xml') },
]

/**
 * Tells by content, not by name, what a file is.
 *
 * @throws FatalError that says what was found instead, and what to do with it
 */
export function fileKind (bytes: Uint8Array): FileKind {
  const head = bytes.subarray(0, 4096)
  const text = latin(head)
  const found = foreign.find(({ is }) => is(head, text))
  if (found !== undefined) throw new FatalError(`it is ${found.what}: ${found.remedy}`)
  const start = text.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (start.startsWith('tree\n') || start.startsWith('tree\r\n')) return 'lightgbm'
  if (start.startsWith('{')) return jsonKind(bytes)
  // The version of the format: ONNX files begin with it.
  if (head[0] === 0x08) return 'onnx'
  throw new FatalError(`it is ${isText(head) ? 'text' : 'in a form'} that is neither ONNX nor XGBoost's JSON nor LightGBM's text: export the model as one of these (docs/import.md)`)
}

/** Where in a file the words stand depends on who wrote it. */
function jsonKind (bytes: Uint8Array): FileKind {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (text.includes('"learner"')) return 'xgboost'
  if (text.includes('"tree_info"')) throw new FatalError('it is LightGBM\'s JSON dump: in Python, booster.save_model("model.txt")')
  if (text.includes('"oblivious_trees"')) throw new FatalError('it is CatBoost\'s JSON: in Python, model.save_model("model.onnx", format="onnx")')
  throw new FatalError('it is JSON, but not XGBoost\'s: booster.save_model("model.json") writes that')
}

function latin (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function isText (bytes: Uint8Array): boolean {
  return bytes.every(byte => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d)
}

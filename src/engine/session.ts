import type * as Runtime from 'onnxruntime-node'
import type { Tensor, TensorSpec, TensorType } from '../tensor.ts'
import { chain } from './chain.ts'
import { type Answer, type GraphParts, type Session, type Tensors, RunError } from './graph.ts'

const runnable: readonly string[] = [
  'float32', 'float64', 'float16', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string',
] satisfies TensorType[]

// The runtime reads it once, as it loads, and would otherwise send telemetry and write to the home folder.
// Not later: a worker thread that loads the runtime first could no longer set it for the process.
process.env.ORT_DISABLE_TELEMETRY = '1'

let runtime: Promise<typeof Runtime> | undefined

/** On first use, not on import: the library costs memory that a process without models need not pay. */
function loadRuntime () {
  runtime ??= import('onnxruntime-node').then(loaded => {
    loaded.env.logLevel = 'fatal'
    return loaded
  })
  return runtime
}

/**
 * Loads a graph. Whatever the runtime would print is in the errors, so it prints nothing itself.
 *
 * @param bytes  the whole file; it and its parts may be dropped afterwards
 * @throws Error with a short reason: not ONNX, an operator that the runtime lacks, an output that is no tensor
 */
export async function openSession (bytes: Uint8Array, { externalData, preprocessor }: GraphParts = {}): Promise<Session> {
  const graph = await openGraph(bytes, externalData)
  if (preprocessor === undefined) return graph
  try {
    return chain(await openGraph(preprocessor), graph)
  } catch (error) {
    await graph.release()
    throw new Error(`preprocessor.onnx: ${(error as Error).message}`, { cause: error })
  }
}

async function openGraph (bytes: Uint8Array, externalData: GraphParts['externalData'] = new Map()): Promise<Session> {
  if (bytes.length === 0) throw new Error('the file is empty')
  const { InferenceSession, Tensor } = await loadRuntime()
  const session = await InferenceSession.create(bytes, {
    executionMode: 'sequential',
    // Throughput comes from many runs side by side; a thread pool per session would only contend.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    externalData: [...externalData].map(([path, data]) => ({ path, data })),
  }).catch((error: unknown) => { throw new Error(shortReason(error), { cause: error }) })
  try {
    return {
      inputs: session.inputMetadata.map(meta => specOf(meta, 'input')),
      outputs: session.outputMetadata.map(meta => specOf(meta, 'output')),
      run: inputs => run(session, Tensor, inputs),
      release: () => session.release(),
    }
  } catch (error) {
    await session.release()
    throw error
  }
}

async function run (session: Runtime.InferenceSession, Feed: typeof Runtime.Tensor, inputs: Tensors): Promise<Answer> {
  try {
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, feedOf(Feed, tensor)]))
    // The runtime starts in a setImmediate of its own; this one stands just before it.
    let startedAt = 0
    setImmediate(() => { startedAt = performance.now() })
    const results = await session.run(feeds)
    const runMs = performance.now() - startedAt
    return { outputs: Object.fromEntries(Object.entries(results).map(([name, result]) => [name, tensorOf(result)])), runMs }
  } catch (error) {
    throw new RunError((error as Error).message, { cause: error })
  }
}

function feedOf (Feed: typeof Runtime.Tensor, { type, shape, data }: Tensor): Runtime.Tensor {
  // Where JavaScript has Float16Array (Node 24), the constructor would make one, which the binding takes for empty.
  if (type === 'float16') return Object.assign(new Feed('uint16', data as Uint16Array, shape), { type })
  // It takes every other pair of type and data that Tensor allows; its overloads cannot say so.
  return new Feed(type as 'float32', data as Float32Array, shape)
}

function tensorOf ({ type, dims, data }: Runtime.InferenceSession.OnnxValueMapType[string]): Tensor {
  // The answer is a Float16Array there.
  const bits = type === 'float16' && ArrayBuffer.isView(data) ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data
  return { type: type as TensorType, shape: dims, data: bits }
}

function specOf (meta: Runtime.InferenceSession.ValueMetadata, role: 'input' | 'output'): TensorSpec {
  if (!meta.isTensor) {
    const remedy = role === 'output' ? '; export the model without ZipMap' : ''
    throw new Error(`the ${role} "${meta.name}" is a sequence, a map or optional, and only tensors can be exchanged${remedy}`)
  }
  if (!runnable.includes(meta.type)) throw new Error(`the ${role} "${meta.name}" has the type ${meta.type}, which is not supported`)
  return { name: meta.name, type: meta.type as TensorType, shape: meta.shape.map(size => size === '' ? -1 : size) }
}

/** The first line, without the places in the runtime's own source that it likes to name. */
function shortReason (error: unknown): string {
  const { message } = error as Error
  const locale = /Failed to construct locale with name:\s*([\w.-]+)/.exec(message)?.[1]
  if (locale !== undefined) return `it changes the case of text, and the system lacks the locale ${locale}: install it (Debian: locales-all), or take the image, which has it`
  // A worker's error has lost its cause, so what matters must not be behind the names of the runtime's own functions.
  const [line = ''] = message.replace(/^[^\n]*?onnxruntime::[^\n]*?\)\s+(?=\S)/, '').split('\n')
  return line.replaceAll(/(^|[\s"'(])\/[^\s"')]+/g, '$1').trim().slice(0, 300)
}

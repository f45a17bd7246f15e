import type { InferenceSession as Session, OnnxValue } from 'onnxruntime-node'
import type { Tensor } from '../../src/tensor.ts'

// In the environment before the runtime loads, hence the import below and not above.
process.env['ORT_DISABLE_TELEMETRY'] = '1'
const { InferenceSession, Tensor: OrtTensor } = await import('onnxruntime-node')

/** Runs an ONNX file in the real runtime, without the server's own engine. */
export async function openModel (bytes: Uint8Array): Promise<Session> {
  return InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 })
}

/** The outputs by name, each as plain data. */
export async function runModel (session: Session, inputs: Readonly<Record<string, Tensor>>): Promise<Record<string, OnnxValue>> {
  const feeds = Object.fromEntries(Object.entries(inputs).map(([name, { type, data, shape }]) => [
    name, new OrtTensor(type, data as Float32Array, shape),
  ]))
  return session.run(feeds)
}

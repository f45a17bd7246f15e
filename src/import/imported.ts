import type { Feature, Manifest } from '../artifact/manifest.ts'
import type { Preprocessor } from '../preprocess/spec.ts'

/** What a file of another program says of its model, as a version needs it. */
export interface ImportedModel {
  /** The bytes of model.onnx. */
  readonly model: Uint8Array
  /** Weights that the graph keeps outside of itself, by the file name under which it looks for them. */
  readonly externalData?: Readonly<Record<string, Uint8Array>>
  /** From features to the model's input, where the columns are not simply the features. */
  readonly preprocessor?: Preprocessor
  readonly task: Manifest['task']
  /** In the order of the model's columns; absent for the task "tensor". */
  readonly features?: readonly Feature[]
  /** Classification: index = class. */
  readonly labels?: readonly string[]
  readonly outputs?: NonNullable<Manifest['outputs']>
  /** Where the model comes from: program, objective, number of trees; for the manifest's `training`. */
  readonly origin: Readonly<Record<string, unknown>>
  /** What a person should know: what was guessed, cut out or left out. */
  readonly notices: readonly string[]
}

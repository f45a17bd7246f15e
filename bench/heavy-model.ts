import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { heavyFiles } from '../test/helpers/models.ts'

/** Writes a model repository with one model, `heavy` 1.0.0: so many products with a matrix of 1024 × 1024, some 0.15 ms each. */
export function writeHeavyModel (modelsFolder: string, layers: number): void {
  const folder = join(modelsFolder, 'heavy', '1.0.0')
  mkdirSync(folder, { recursive: true })
  for (const [file, content] of Object.entries(heavyFiles('heavy', '1.0.0', layers))) {
    writeFileSync(join(folder, file), content instanceof Uint8Array ? content : JSON.stringify(content))
  }
}

import { createHash } from 'node:crypto'
import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { VersionFiles } from '../artifact/store.ts'

/** A version's files before they are written. */
export function memoryFiles (name: string, version: string, files: Readonly<Record<string, Uint8Array | string>>): VersionFiles {
  return {
    name,
    version,
    list: async () => Object.keys(files),
    read: async file => {
      const content = Object.hasOwn(files, file) ? files[file] : undefined
      if (content === undefined) throw new ArtifactError('MISSING_FILE', `${file} is missing`)
      return typeof content === 'string' ? new TextEncoder().encode(content) : content
    },
  }
}

/** What a manifest says of its files. */
export function listed (files: Readonly<Record<string, Uint8Array | string>>): Manifest['files'] {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [name, {
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: Buffer.byteLength(content),
  }]))
}

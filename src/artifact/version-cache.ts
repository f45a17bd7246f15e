import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { FatalError } from '../errors.ts'
import { parseJson } from './json.ts'
import { type Measure, measureFile } from './measured.ts'
import { isName } from './names.ts'

/** What was served last, for a start without S3. Texts as they are in S3. */
const KeptSchema = Type.Object({
  savedAt: Type.String(),
  repository: Type.Union([Type.String(), Type.Null()]),
  models: Type.Record(Type.String(), Type.Object({
    aliases: Type.Union([Type.String(), Type.Null()]),
    /** By version the key of its copy. */
    versions: Type.Record(Type.String(), Type.String()),
  })),
})

export type Kept = Static<typeof KeptSchema>

const ContentsSchema = Type.Record(Type.String(), Type.Object({ sha256: Type.String(), bytes: Type.Integer() }))

/** In a copy: what its files were when they came. */
const contentsFile = '.contents.json'

/** A draft that is older was left by a process that died. */
const abandonedAfterMs = 3_600_000

/**
 * Copies of versions on the local disk: `<root>/<name>/<version>/<key>/`, where the key says which objects
 * the files are copies of. A copy appears whole, in one rename, so that several processes may share the folder.
 */
export class VersionCache {
  readonly root: string

  /** @param folder unset: below the system's folder for temporary files */
  constructor (folder: string | undefined, place: string) {
    const name = createHash('sha256').update(place).digest('hex').slice(0, 16)
    this.root = join(folder ?? join(tmpdir(), `modelport-models-${process.getuid?.() ?? 'cache'}`), name)
  }

  /** @throws FatalError when the folder cannot be used, or others could write into it */
  async open (): Promise<void> {
    try {
      await mkdir(this.root, { recursive: true, mode: 0o700 })
      const { uid } = await stat(this.root)
      if (process.getuid !== undefined && uid !== process.getuid()) throw new FatalError(`MODELS_CACHE_DIR: ${this.root} belongs to another user: set it to a folder of your own`)
    } catch (error) {
      throw cannotUse(this.root, error)
    }
  }

  folderOf (name: string, version: string, key: string): string {
    return join(this.root, name, version, key)
  }

  /** The names of a copy's files; undefined where there is none, or where its files are not what came: then it is removed. */
  async find (name: string, version: string, key: string): Promise<string[] | undefined> {
    const folder = this.folderOf(name, version, key)
    try {
      const contents = parseJson(ContentsSchema, await readFile(join(folder, contentsFile)))
      for (const [file, { sha256, bytes }] of Object.entries(contents)) {
        const found = await measureFile(join(folder, file))
        if (found.sha256 !== sha256 || found.bytes !== bytes) throw new Error('is another file')
      }
      return Object.keys(contents)
    } catch {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
      return undefined
    }
  }

  /**
   * Makes a copy.
   *
   * @param fill puts the files into the folder that it is given, and tells what came; what it throws is thrown on
   * @returns the names of its files
   * @throws FatalError when the disk is full or cannot be written
   */
  async add (name: string, version: string, key: string, fill: (folder: string) => Promise<ReadonlyMap<string, Measure>>): Promise<string[]> {
    const target = this.folderOf(name, version, key)
    const draft = join(this.root, name, version, `.draft-${process.pid}-${randomBytes(6).toString('hex')}`)
    try {
      await mkdir(draft, { recursive: true, mode: 0o700 })
      const contents = Object.fromEntries([...await fill(draft)].map(([file, { sha256, bytes }]) => [file, { sha256, bytes }]))
      await writeFile(join(draft, contentsFile), JSON.stringify(contents), { flush: true })
      // Another process may have been faster, with the same files.
      await rename(draft, target).catch(async (error: unknown) => { if (await this.find(name, version, key) === undefined) throw error })
      return Object.keys(contents)
    } catch (error) {
      throw cannotUse(this.root, error)
    } finally {
      await rm(draft, { recursive: true, force: true }).catch(() => {})
    }
  }

  /** What was served last; undefined where that is not known. */
  async kept (): Promise<Kept | undefined> {
    try {
      return parseJson(KeptSchema, await readFile(join(this.root, 'kept.json')))
    } catch {
      return undefined
    }
  }

  /**
   * Remembers what is served, and removes every other copy.
   *
   * @param others copies, by name and version, that stay beside those
   */
  async keep (kept: Kept, others: ReadonlyMap<string, string>): Promise<void> {
    const draft = join(this.root, `.kept-${process.pid}-${randomBytes(6).toString('hex')}`)
    await writeFile(draft, JSON.stringify(kept), { flush: true })
    await rename(draft, join(this.root, 'kept.json'))
    for (const name of await folders(this.root)) {
      const versions = Object.hasOwn(kept.models, name) ? kept.models[name]?.versions ?? {} : {}
      for (const version of await folders(join(this.root, name))) {
        const keys = [Object.hasOwn(versions, version) ? versions[version] : undefined, others.get(`${name}/${version}`)]
        await this.#sweep(join(this.root, name, version), keys)
      }
      await removeEmpty(join(this.root, name))
    }
  }

  async #sweep (folder: string, keys: readonly (string | undefined)[]): Promise<void> {
    for (const entry of await readdir(folder).catch(() => [])) {
      if (keys.includes(entry) || (entry.startsWith('.draft-') && !await isOld(join(folder, entry)))) continue
      await rm(join(folder, entry), { recursive: true, force: true })
    }
    await removeEmpty(folder)
  }
}

async function folders (path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isDirectory() && isName(entry.name)).map(({ name }) => name)
}

/** A folder with something in it is in use, and stays. */
async function removeEmpty (path: string): Promise<void> {
  await rmdir(path).catch(() => {})
}

async function isOld (path: string): Promise<boolean> {
  return await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs > abandonedAfterMs, () => true)
}

function cannotUse (folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException
  const isOfSystem = typeof code === 'string' && /^E[A-Z]+$/.test(code)
  return isOfSystem ? new FatalError(`MODELS_CACHE_DIR: ${folder} cannot be written (${code}): set it to a folder with room for the models`, { cause: error }) : error
}

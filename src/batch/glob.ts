import { type Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from '../errors.ts'

/**
 * Files that a pattern names, sorted: `*` and `?` stay within a name, `[a-z]` is one of these, `**` is any folders.
 * A file that is called as the pattern is meant itself. What begins with a dot must be named so.
 *
 * @throws FatalError when a folder on the way cannot be read
 */
export async function expandGlob (pattern: string): Promise<string[]> {
  if (await isFile(pattern)) return [pattern]
  const found = await walk(pattern.startsWith('/') ? '/' : '', pattern.split('/').filter(segment => segment !== ''))
  return [...new Set(found)].sort()
}

async function walk (base: string, [segment, ...rest]: readonly string[]): Promise<string[]> {
  if (segment === undefined) return await isFile(base) ? [base] : []
  if (segment === '**') {
    const folders = (await entriesOf(base)).filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    const deeper = await Promise.all(folders.map(({ name }) => walk(join(base, name), [segment, ...rest])))
    return [...await walk(base, rest), ...deeper.flat()]
  }
  if (!/[*?[]/.test(segment)) return await walk(join(base, segment), rest)
  const pattern = toRegExp(segment)
  const names = (await entriesOf(base)).map(({ name }) => name).filter(name => pattern.test(name) && name.startsWith('.') === segment.startsWith('.'))
  return (await Promise.all(names.map(name => walk(join(base, name), rest)))).flat()
}

function toRegExp (segment: string): RegExp {
  const source = segment.replaceAll(/\*+|\?|\[!?[^\]]+\]|[^*?]/g, part => {
    if (part.startsWith('*')) return '.*'
    if (part === '?') return '.'
    if (part.length > 1) return part.replace('[!', '[^').replaceAll('\\', '\\\\')
    return part.replace(/[\\^$.|+()[\]{}]/, '\\$&')
  })
  return new RegExp(`^${source}$`, 'su')
}

async function entriesOf (folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder === '' ? '.' : folder, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw new FatalError(`--input: the folder ${folder || '.'} cannot be read (${code})`)
  }
}

async function isFile (path: string): Promise<boolean> {
  return await stat(path).then(found => found.isFile(), () => false)
}

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Every command runs here. */
export const infraFolder = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '')

/** The repository, as seen from there. */
export const repositoryFolder = '..'

/** A path that the person wrote: from the folder that npm was called in. */
export function asCalled (path: string, env: NodeJS.ProcessEnv): string {
  return resolve(env.INIT_CWD ?? process.cwd(), path)
}

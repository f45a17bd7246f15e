import { Worker } from 'node:worker_threads'

/**
 * Starts the module `name` beside `base` as a thread: the built file, or the source where `base` is one.
 *
 * @param base  the `import.meta.url` of who asks
 * @param name  without an ending, the same as of the build's entry point
 */
export function startThread (base: string, name: string): Worker {
  if (!base.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, base))
  // On Node 20 `--import tsx` does not reach the first file of a thread, so the thread asks for it before it imports.
  const [tsx, source] = [import.meta.resolve('tsx/esm/api'), new URL(`./${name}.ts`, base).href]
  const code = `import('${tsx}').then(({ register }) => { register(); return import('${source}') })`
  return new Worker(code, { eval: true, execArgv: [] })
}

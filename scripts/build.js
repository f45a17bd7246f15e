// `npm run build`: one file per entry point, with what they share in chunks beside them. Reading some
// 900 small modules was half of the start-up time and 20 MB of memory. Types are checked apart (`npm run typecheck`).
import { cp, mkdir, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const dist = join(root, 'dist')

await rm(dist, { recursive: true, force: true })
await build({
  absWorkingDir: root,
  // Flat, so that `new URL('./worker.js', import.meta.url)` holds in whatever chunk it ends up.
  entryPoints: { main: 'src/main.ts', cli: 'src/cli/main.ts', worker: 'src/engine/worker.ts' },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
  // These two read files of their own packages.
  external: ['onnxruntime-node', '@fastify/swagger-ui'],
  // For the CommonJS packages among those that are bundled.
  banner: { js: "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);" },
})

/** ReDoc, a development package, beside the code that serves it; with the licences of what is in it. */
const redoc = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
const assets = {
  'redoc.standalone.js': redoc,
  'redoc.standalone.js.LICENSE.txt': `${redoc}.LICENSE.txt`,
  'redoc.LICENSE.txt': join(dirname(redoc), '..', 'LICENSE'),
}
await mkdir(join(dist, 'assets'))
await Promise.all(Object.entries(assets).map(([name, from]) => cp(from, join(dist, 'assets', name))))

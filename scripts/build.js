// `npm run build`: one file per entry point, with what they share in chunks beside them. Reading some
// 900 small modules was half of the start-up time and 20 MB of memory. Types are checked apart (`npm run typecheck`).
import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../', import.meta.url))
const dist = join(root, 'dist')

/** The SDK as it is written, not as CommonJS: of that esbuild could leave nothing out. */
const sdkAsModules = {
  name: 'sdk-as-modules',
  setup (builder) {
    builder.onResolve({ filter: /^@(aws-sdk|smithy|aws)\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === 'resolved') return
      const found = await builder.resolve(path, { ...from, pluginData: 'resolved' })
      const asModule = found.path.replace(/(?<=[\\/])dist-cjs(?=[\\/])/, 'dist-es')
      return existsSync(asModule) ? { ...found, path: asModule } : found
    })
  },
}

const { metafile } = await build({
  absWorkingDir: root,
  // Flat, so that `new URL('./worker.js', import.meta.url)` holds in whatever chunk it ends up.
  entryPoints: { main: 'src/main.ts', cli: 'src/cli/main.ts', job: 'src/cli/job-lambda.ts', lambda: 'src/lambda.ts', worker: 'src/engine/worker.ts', 'batch-worker': 'src/batch/worker.ts', 'training-worker': 'src/training/training-worker.ts' },
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'linked',
  logLevel: 'warning',
  metafile: true,
  plugins: [sdkAsModules],
  // These read files of their own packages; the last may also be missing.
  external: ['onnxruntime-node', '@fastify/swagger-ui', '@duckdb/node-api'],
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
await mkdir(join(dist, 'assets'), { recursive: true })
await Promise.all(Object.entries(assets).map(([name, from]) => cp(from, join(dist, 'assets', name))))

// What an earlier build left. At the end, so that there is a whole build at every moment.
const made = new Set(Object.keys(metafile.outputs).map(output => basename(output)))
const stale = (await readdir(dist, { withFileTypes: true })).filter(entry => entry.isFile() && !made.has(entry.name))
await Promise.all(stale.map(entry => rm(join(dist, entry.name))))

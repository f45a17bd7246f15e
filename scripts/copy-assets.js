// The second half of `npm run build`: puts ReDoc, a development package, beside the compiled code that serves it.
import { cp, mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const assets = fileURLToPath(new URL('../dist/assets/', import.meta.url))
const bundle = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
const files = {
  'redoc.standalone.js': bundle,
  // The licences of what is in the bundle, which its first line points to, and ReDoc's own.
  'redoc.standalone.js.LICENSE.txt': `${bundle}.LICENSE.txt`,
  'redoc.LICENSE.txt': join(dirname(bundle), '..', 'LICENSE'),
}

await mkdir(assets, { recursive: true })
await Promise.all(Object.entries(files).map(([name, from]) => cp(from, join(assets, name))))

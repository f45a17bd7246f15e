import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What scripts/build.js leaves out of the bundle, and the server needs. */
const external = ['onnxruntime-node', '@fastify/swagger-ui']

/** Of packages that are in the bundle these stay: for whoever scans the image or asks what is in it. */
export const legal = /^(package\.json|(licen[cs]e|copying|notice|copyright|authors|thirdparty).*)$/i

/** No program reads them while it runs. */
export const neverRun = /(\.[cm]?ts|\.map|\.md|\.markdown|\.tsbuildinfo)$/i

/** The folders of the packages that run as they are installed, and of all that they depend on; seen from `root`. */
export function runningPackages (root) {
  const running = new Set()
  for (const name of external) keep(name, '')
  return running

  /** Marks a package, as the one in `from` finds it. */
  function keep (name, from) {
    const folder = find(name, from)
    if (running.has(folder)) return
    running.add(folder)
    const { dependencies = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    for (const dependency of Object.keys(dependencies)) keep(dependency, folder)
  }

  function find (name, from) {
    const folder = join(from, 'node_modules', name)
    if (existsSync(join(root, folder))) return folder
    if (from === '') throw new Error(`${name} is not installed`)
    return find(name, from.slice(0, Math.max(0, from.lastIndexOf('node_modules') - 1)))
  }
}

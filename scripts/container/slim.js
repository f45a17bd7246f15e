// Leaves of node_modules what runs in the image. `npm run build` has put nearly every package into dist;
// of those the package.json and the licences stay, for whoever scans the image or asks what is in it.
//
//   node slim.js ARCH      beside node_modules; ARCH as Docker or Node names it
import { existsSync, globSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { legal, neverRun, runningPackages } from './running.js'

const architectures = { amd64: 'x64', x64: 'x64', arm64: 'arm64' }
const architecture = architectures[process.argv[2]]
if (architecture === undefined) throw new Error(`onnxruntime-node has no Linux library for "${process.argv[2]}", only for amd64 and arm64`)

const running = runningPackages('.')
for (const folder of packages('node_modules')) thin(folder, running.has(folder))

// The package carries 290 MB of libraries for five platforms.
for (const library of globSync('node_modules/onnxruntime-node/bin/napi-v6/*/*')) {
  if (!library.endsWith(join('linux', architecture))) rmSync(library, { recursive: true })
}
rmSync('node_modules/.package-lock.json', { force: true })
rmSync('node_modules/.bin', { recursive: true, force: true })
for (const map of globSync('dist/**/*.map')) rmSync(map)

/** The folders of all packages in a node_modules folder, also of those inside other packages. */
function packages (modules) {
  return readdirSync(modules, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => name.startsWith('@') ? readdirSync(join(modules, name)).map(inner => join(name, inner)) : [name])
    .map(name => join(modules, name))
    .flatMap(folder => [folder, ...existsSync(join(folder, 'node_modules')) ? packages(join(folder, 'node_modules')) : []])
}

/** Takes out of one package, not of those inside it, what does not run. */
function thin (folder, runs) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (name === 'node_modules' || legal.test(name)) continue
    if (!runs || neverRun.test(name)) rmSync(path, { recursive: true })
    else for (const file of globSync(`${path}/**`).filter(file => neverRun.test(file))) rmSync(file)
  }
}

// Makes the package of the Lambda function out of what `npm run build` has left in dist: the handler, the packages that it
// does not bundle, one platform's inference library, and the models; as a folder, and the same as a zip.
//
//   npm run package:lambda -- [--arch arm64|x64] [--models DIR | --without-models] [--out FOLDER] [--json]
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { legal, neverRun, runningPackages } from './container/running.js'
import { zip } from './zip.js'

const usage = `npm run package:lambda -- [--arch arm64|x64] [--models DIR | --without-models] [--out FOLDER] [--json]

  --arch            the function's architecture (arm64)
  --models          a model repository that goes into the package (./models)
  --without-models  none does: the function has MODELS_DIR=s3://...
  --out             where the package goes (build/lambda), and beside it FOLDER.zip
  --json            prints sizes for machines

Example: npm run package:lambda -- --arch x64 --models models --out build/lambda
`

/** Lambda's own limits, in bytes. */
const limits = { unzipped: 250 * 2 ** 20, directUpload: 50 * 2 ** 20 }

/** The handler of HTTP requests and the one of batches, which share the package, and what their threads run. */
const entries = ['lambda.js', 'job.js', 'worker.js', 'batch-worker.js']

const root = fileURLToPath(new URL('../', import.meta.url))
const options = readFlags()
try {
  await make(options)
} catch (error) {
  process.stderr.write(`package:lambda: ${error.message}\n`)
  process.exit(1)
}

async function make ({ out }) {
  const files = packageFiles()
  const contents = await Promise.all(files.map(async ({ name, source, data }) => ({ name, data: data ?? await readFile(source) })))
  const unzippedBytes = contents.reduce((sum, { data }) => sum + data.length, 0)
  if (unzippedBytes > limits.unzipped) throw new Error(`the package has ${mb(unzippedBytes)} unzipped, and Lambda takes ${mb(limits.unzipped)}; leave the models out (--without-models) and set MODELS_DIR=s3://...\n${table(contents)}`)
  const archive = zip(contents)
  await writeWhole(`${out}.zip`, async place => { await writeFile(place, archive) })
  await writeWhole(out, async place => {
    for (const { name, source, data } of files) {
      const target = join(place, name)
      await mkdir(dirname(target), { recursive: true })
      await (data === undefined ? cp(source, target, { dereference: true }) : writeFile(target, data))
    }
  })
  report(contents, unzippedBytes, archive.length)
}

function readFlags () {
  let values
  try {
    ({ values } = parseArgs({
      options: {
        arch: { type: 'string', default: 'arm64' },
        models: { type: 'string' },
        'without-models': { type: 'boolean', default: false },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }))
  } catch (error) {
    misuse(error.message)
  }
  if (values.help) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const { arch, models, out = join(root, 'build', 'lambda'), json } = values
  if (arch !== 'arm64' && arch !== 'x64') misuse(`--arch ${arch}: a function runs on arm64 or x64`)
  if (models !== undefined && values['without-models']) misuse('--models and --without-models contradict each other')
  return { arch, models: values['without-models'] ? undefined : resolve(models ?? join(root, 'models')), out: resolve(out), json }
}

/** All that the function is, in the order of names. */
function packageFiles () {
  const { name, version, license, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const files = [
    { name: 'package.json', data: Buffer.from(`${JSON.stringify({ name, version, license, type }, undefined, 2)}\n`) },
    ...[...reachable(entries)].map(file => ({ name: `dist/${file}`, source: join(root, 'dist', file) })),
    ...filesBelow(join(root, 'dist', 'assets')).map(file => ({ name: `dist/assets/${file}`, source: join(root, 'dist', 'assets', file) })),
    ...installedFiles(),
    ...modelFiles(),
  ]
  return files.sort((a, b) => a.name < b.name ? -1 : 1)
}

/** Files of the build and every other one that they can come to load. */
function reachable (entries) {
  const found = new Set(entries)
  for (const file of found) {
    const path = join(root, 'dist', file)
    if (!existsSync(path)) throw new Error(`dist/${file} is missing: run npm run build first`)
    for (const [, other] of readFileSync(path, 'utf8').matchAll(/["']\.\/([\w-]+\.js)["']/g)) {
      if (existsSync(join(root, 'dist', other))) found.add(other)
    }
  }
  return found
}

/** Of the packages that the server needs, by the lock file: whole those that are not bundled, the licences of the others; and one platform's library. */
function installedFiles () {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const running = runningPackages(root)
  const library = join('linux', options.arch) + sep
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .flatMap(([path]) => filesBelow(join(root, path), ['node_modules'])
      .filter(file => legal.test(file) || (running.has(path) && !neverRun.test(file) && !/(^|[/\\])\./.test(file)))
      .filter(file => basename(path) !== 'onnxruntime-node' || !/^bin[/\\]/.test(file) || file.includes(library))
      .map(file => ({ name: `${path}/${file}`.replaceAll(sep, '/'), source: join(root, path, file) })))
}

function modelFiles () {
  const { models } = options
  if (models === undefined) return []
  if (!existsSync(models)) throw new Error(`there is no folder ${models}; name the model repository with --models, or leave the models out with --without-models`)
  const files = filesBelow(models).filter(file => !file.split(sep).some(part => part.startsWith('.')))
  if (!files.some(file => basename(file) === 'model.onnx')) throw new Error(`${models} holds no model (<name>/<version>/model.onnx); name the model repository with --models, or leave the models out with --without-models`)
  return files.map(file => ({ name: `models/${file}`.replaceAll(sep, '/'), source: join(models, file) }))
}

/** Paths of the files in a folder, seen from it. */
function filesBelow (folder, without = []) {
  const walk = inner => readdirSync(join(folder, inner), { withFileTypes: true })
    .filter(({ name }) => !without.includes(name))
    .flatMap(entry => entry.isDirectory() ? walk(join(inner, entry.name)) : [join(inner, entry.name)])
  return walk('')
}

/** Never half of it under that name: written beside it, then put in its place. */
async function writeWhole (place, write) {
  const partial = join(dirname(place), `.${basename(place)}.${process.pid}`)
  try {
    await mkdir(dirname(place), { recursive: true })
    await write(partial)
    await rm(place, { recursive: true, force: true })
    await rename(partial, place)
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw new Error(`cannot write ${place}: ${error.message}`, { cause: error })
  }
}

function report (files, unzippedBytes, zippedBytes) {
  const { arch, out, json } = options
  if (json) {
    process.stdout.write(`${JSON.stringify({ folder: out, zip: `${out}.zip`, arch, zippedBytes, unzippedBytes, limits })}\n`)
    return
  }
  process.stdout.write(`${table(files)}\n${out}, and ${out}.zip (${arch}): ${mb(unzippedBytes)} of the ${mb(limits.unzipped)} that Lambda takes, zipped ${mb(zippedBytes)}\n`)
  if (zippedBytes > limits.directUpload) process.stdout.write(`It is above ${mb(limits.directUpload)}, so it can be deployed from S3 only, which is what the CDK does.\n`)
}

/** Where the bytes are. */
function table (files) {
  const parts = new Map()
  for (const { name, data } of files) {
    const [first = '', second = '', third = ''] = name.split('/')
    const part = first === 'node_modules' ? [first, second, ...(second.startsWith('@') ? [third] : [])].join('/') : first
    parts.set(part, (parts.get(part) ?? 0) + data.length)
  }
  const rows = [...parts].sort(([, a], [, b]) => b - a)
  const shown = rows.filter(([, bytes]) => bytes >= 100_000)
  const others = rows.slice(shown.length).reduce((sum, [, bytes]) => sum + bytes, 0)
  return [...shown, ['everything else', others]].map(([part, bytes]) => `${mb(bytes).padStart(10)}  ${part}`).join('\n')
}

function mb (bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}

function misuse (message) {
  process.stderr.write(`package:lambda: ${message}\n\n${usage}`)
  process.exit(2)
}

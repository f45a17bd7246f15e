import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryStore } from '../artifact/model-store.ts'
import { isName, nameRule } from '../artifact/names.ts'
import { type Publication, type PublishedVersion, lookBeforePublishing, publishVersion } from '../artifact/publish.ts'
import { isS3Uri, parseS3Uri } from '../artifact/s3-uri.ts'
import { openBucket } from '../artifact/s3.ts'
import { FatalError } from '../errors.ts'
import { findModel, modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import { type Promotion, promoteVersion } from './promote.ts'
import { type Author, checkVersion, openVersion, readAuthor, sizeText } from './repository-flags.ts'
import { mustVerify, printSwitch } from './switch-alias.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const publish: Verb = {
  name: 'publish',
  summary: 'Put a version into an S3 bucket, where servers find it',
  help: `Usage: modelport publish NAME@VERSION --to s3://bucket/prefix [--alias ALIAS] [--dry-run] [options]

Verifies a version as modelport verify does, and copies its files to s3://bucket/prefix/NAME/VERSION/, the
manifest last: servers with MODELS_DIR=s3://bucket/prefix see the whole version or none of it. The same content
again changes nothing; other content under the same version is refused. A publish that was interrupted can be
run again.

  --to s3://…      the bucket, and what the keys in it begin with
  --alias ALIAS    then let this alias of the bucket's aliases.json name the version, as modelport promote does
  --why TEXT       the reason, for the history of the alias
  --who NAME       who it is, for the history (default: user@host)
  --dry-run        verify, look what is there, and change nothing
  --models FOLDER  where the version is (default: MODELS_DIR, else ./models)
  --json           print {"name", "version", "to", "published", "dryRun", "files", "bytes", "alias"}

Example:
  modelport publish iris@1.1.0 --to s3://acme-models/production --alias production
`,
  run: async (args, terminal) => {
    const flags = readFlags(args, terminal)
    const { name, version, to, alias, isDryRun, json } = flags
    const tell = json ? () => {} : terminal.out
    const source = await openSource(flags, terminal)
    const size = `${Object.keys(source.files).length + 1} files, ${sizeText(Object.values(source.files).reduce((sum, { bytes }) => sum + bytes, 0))}`
    const done = await put(flags, source, terminal)
    const target = `${to}/${name}/${version}/`
    if (done === 'would publish') tell(`${name} ${version} would be published to ${target} (${size})${alias === undefined ? '' : `, and then ${alias} would name it`}: nothing is changed`)
    else tell(done.kind === 'published' ? `${name} ${version} is published to ${target} (${size})` : `${name} ${version} is in ${target} already`)
    const promotion = alias === undefined || isDryRun ? undefined : await promoteThere(flags, alias, terminal)
    if (json) {
      const published = done !== 'would publish' && done.kind === 'published'
      terminal.out(JSON.stringify({
        name,
        version,
        to,
        published,
        dryRun: isDryRun,
        files: published ? done.files : 0,
        bytes: published ? done.bytes : 0,
        alias: promotion === undefined ? null : { name: alias, from: promotion.from, to: version, changed: promotion.changed !== undefined },
      }))
    } else if (promotion?.changed !== undefined) {
      printSwitch(to, name, promotion.changed, terminal)
    } else if (promotion !== undefined) {
      terminal.out(`${name}: ${alias} is ${version} already`)
    }
  },
}

/** From what arrived there: it is read again, and verified once more. */
async function promoteThere ({ name, version, to, author }: Flags, alias: string, terminal: Terminal): Promise<Promotion> {
  try {
    return await promoteVersion({ name, version, alias, models: to, tolerance: 0.01, force: false, author }, terminal)
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    throw new FatalError(`it is published, but ${alias} does not name it: ${error.message} (modelport promote ${name}@${version} ${alias} --models ${to})`, { cause: error })
  }
}

/** @throws FatalError when the version cannot be served */
async function openSource ({ name, version, models }: Flags, terminal: Terminal): Promise<PublishedVersion> {
  const store = repositoryStore(models)
  checkVersion(findModel((await store.list()).models, name), version)
  const isDescribed = (await store.version(name, version).list()).includes('manifest.json')
  if (!isDescribed) throw new FatalError(`${name} ${version} has no manifest.json, and without it nobody could tell when all of its files have arrived: modelport import makes one`)
  await mustVerify(store, name, version, terminal, false)
  const { manifest } = await openVersion(store, name, version)
  return { name, version, folder: join(models, name, version), files: manifest.files }
}

async function put ({ to, isDryRun }: Flags, source: PublishedVersion, { err }: Terminal): Promise<Publication | 'would publish'> {
  const bucket = await openBucket(to)
  try {
    if (!isDryRun) return await publishVersion(bucket, source, file => { err(`${file} has arrived`) })
    return (await lookBeforePublishing(bucket, source)).isThere ? { kind: 'already there' } : 'would publish'
  } finally {
    bucket.close()
  }
}

interface Flags {
  readonly name: string
  readonly version: string
  /** Without a slash at the end. */
  readonly to: string
  readonly alias: string | undefined
  readonly isDryRun: boolean
  readonly models: string
  readonly json: boolean
  readonly author: Author
}

function readFlags (args: readonly string[], terminal: Terminal): Flags {
  const { values, positionals } = parse(args)
  const { to, alias, 'dry-run': isDryRun = false, json = false } = values
  const what = onlyArgument(positionals)
  if (what === undefined) throw new UsageError('what to publish is missing: NAME@VERSION')
  const { name, version } = parseModelArgument(what)
  if (version === undefined) throw new UsageError(`say which version: ${name}@VERSION`)
  if (to === undefined) throw new UsageError('where to is missing: --to s3://bucket/prefix')
  if (alias !== undefined && (!isName(alias) || alias === 'latest')) throw new UsageError(`${JSON.stringify(alias)} cannot be an alias: it must be ${nameRule}, and not latest`)
  const models = modelsFolder(values.models, terminal)
  if (isS3Uri(models)) throw new UsageError(`a version is published from a folder, and ${models} is none: say which with --models FOLDER`)
  return { name, version, to: checkedPlace(to), alias, isDryRun, models, json, author: readAuthor(values, terminal) }
}

function checkedPlace (to: string): string {
  try {
    const { bucket, prefix } = parseS3Uri(to)
    return `s3://${bucket}/${prefix}`.replace(/\/$/, '')
  } catch (error) {
    throw new UsageError(`--to: ${(error as Error).message}`)
  }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      to: { type: 'string' }, alias: { type: 'string' }, 'dry-run': { type: 'boolean' }, why: { type: 'string' }, who: { type: 'string' }, models: { type: 'string' }, json: { type: 'boolean' },
    },
    allowPositionals: true,
  })
}

import { parseArgs } from 'node:util'
import { openAliasBook } from '../artifact/alias-book.ts'
import { aliasTarget } from '../artifact/aliases.ts'
import type { Manifest } from '../artifact/manifest.ts'
import { repositoryStore } from '../artifact/model-store.ts'
import type { Change } from '../artifact/history.ts'
import { isName, nameRule } from '../artifact/names.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import { type Comparison, compareMain, isWorse } from '../catalog/main-metric.ts'
import { FatalError } from '../errors.ts'
import { findModel, modelsFolder, parseModelArgument } from './model-argument.ts'
import { type Author, checkVersion, numberText, openVersion, readAuthor } from './repository-flags.ts'
import { mustVerify, printSwitch, switchAlias } from './switch-alias.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const promote: Verb = {
  name: 'promote',
  summary: 'Let a version answer for its model',
  help: `Usage: modelport promote NAME@VERSION [ALIAS] [--tolerance X] [--force] [--why TEXT] [options]

Lets an alias in <models>/NAME/aliases.json name this version, and writes a line to history.jsonl. Production
is the version that answers for the name. A version that modelport verify refuses is refused, and for production
one that scores worse than the present one (without production: the latest) by more than the tolerance. Scores
are accuracy or R² of the manifests, else the next metric that both have.

  ALIAS            production, canary, shadow or another one (default: production)
  --tolerance X    how much worse it may score; for errors such as RMSE, as a share (default: 0.01)
  --force          promote it although it scores worse
  --why TEXT       the reason, for the history
  --who NAME       who it is, for the history (default: user@host)
  --models FOLDER  the model repository, or s3://bucket/prefix (default: MODELS_DIR, else ./models)
  --json           print {"name", "alias", "from", "to", "changed", "comparison"}

Example:
  modelport promote iris@1.1.0 production --why "more rows"
`,
  run: async (args, terminal) => {
    const flags = readFlags(args, terminal)
    const { name, version, alias, models, json } = flags
    const { comparison, ...change } = await promoteVersion(flags, terminal)
    if (json) terminal.out(JSON.stringify({ name, alias, from: change.from, to: version, changed: change.changed !== undefined, comparison: comparison ?? null }))
    else if (change.changed === undefined) terminal.out(`${name}: ${alias} is ${version} already`)
    else printSwitch(models, name, change.changed, terminal)
  },
}

/**
 * Verifies a version, compares it with the present one, and lets the alias name it.
 *
 * @throws FatalError; nothing is changed then
 */
export async function promoteVersion (flags: Omit<Flags, 'json'>, terminal: Terminal): Promise<Promotion> {
  const { name, version, models } = flags
  const store = repositoryStore(models)
  const entry = findModel((await store.list()).models, name)
  checkVersion(entry, version)
  await mustVerify(store, name, version, terminal)
  return await settle(store, entry, flags, terminal)
}

export interface Promotion {
  readonly from: string | null
  /** undefined: it was so already. */
  readonly changed: Change | undefined
  readonly comparison: Comparison | undefined
}

/** As often as others change the alias between this decision and its effect. */
async function settle (store: ModelStore, entry: ModelEntry, flags: Omit<Flags, 'json'>, terminal: Terminal): Promise<Promotion> {
  const { name, version: to, alias, models, author } = flags
  const book = openAliasBook(models)
  await book.mend(name)
  for (;;) {
    const from = aliasTarget(await book.aliases(name), alias)
    if (from === to) return { from: to, changed: undefined, comparison: undefined }
    const comparison = alias === 'production' ? await compare(store, entry, from, flags, terminal) : undefined
    const changed = await switchAlias({ book, name, alias, from, to, action: 'promote', author })
    if (!('overtakenBy' in changed)) return { from: changed.from, changed, comparison }
  }
}

/** @throws FatalError when the candidate is worse */
async function compare (store: ModelStore, { name, versions }: ModelEntry, from: string | undefined, flags: Omit<Flags, 'json'>, { err }: Terminal): Promise<Comparison | undefined> {
  const { version, tolerance, force } = flags
  const present = from ?? versions.at(-1)
  if (present === undefined || present === version) return undefined
  const candidate = (await openVersion(store, name, version)).manifest
  const other = await openVersion(store, name, present).then(artifact => artifact.manifest, (error: unknown) => {
    if (!(error instanceof FatalError)) throw error
    err(`warning: not compared with the present version: ${error.message}`)
    return undefined
  })
  return other && judge(other, candidate, { tolerance, force }, err)
}

function judge (present: Manifest, candidate: Manifest, { tolerance, force }: { tolerance: number, force: boolean }, err: Terminal['err']): Comparison | undefined {
  const comparison = compareMain(present, candidate)
  const title = `${candidate.name} ${candidate.version}`
  if (comparison === undefined) {
    err(`warning: ${title} and ${present.version} have no metric in common: not compared`)
    return undefined
  }
  const text = `${comparison.metric} ${numberText(comparison.candidate)} against ${numberText(comparison.present)} of ${present.version}`
  if (present.training?.['sha256'] !== candidate.training?.['sha256']) err(`warning: ${text}: measured on different data`)
  if (!isWorse(comparison, tolerance)) return comparison
  if (!force) throw new FatalError(`${title} scores worse: ${text}, more than the tolerance of ${tolerance}. Nothing is changed; --force promotes it all the same`)
  err(`warning: ${title} scores worse: ${text}`)
  return comparison
}

interface Flags {
  readonly name: string
  readonly version: string
  readonly alias: string
  readonly tolerance: number
  readonly force: boolean
  readonly models: string
  readonly json: boolean
  readonly author: Author
}

function readFlags (args: readonly string[], terminal: Terminal): Flags {
  const { values, positionals: [what, alias = 'production', surplus] } = parse(args)
  const { tolerance = '0.01', force = false, models, json = false } = values
  if (surplus !== undefined) throw new UsageError(`${JSON.stringify(surplus)} is an argument too many`)
  if (what === undefined) throw new UsageError('what to promote is missing: NAME@VERSION')
  const { name, version } = parseModelArgument(what)
  if (version === undefined) throw new UsageError(`say which version: ${name}@VERSION`)
  if (!isName(alias)) throw new UsageError(`${JSON.stringify(alias)} cannot be an alias: it must be ${nameRule}`)
  if (alias === 'latest') throw new UsageError('latest is the highest version, whatever is promoted')
  const limit = Number(tolerance)
  if (tolerance.trim() === '' || !(limit >= 0 && limit < Infinity)) throw new UsageError(`--tolerance must be a number of at least 0, not ${JSON.stringify(tolerance)}`)
  return { name, version, alias, tolerance: limit, force, models: modelsFolder(models, terminal), json, author: readAuthor(values, terminal) }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      tolerance: { type: 'string' }, force: { type: 'boolean' }, why: { type: 'string' }, who: { type: 'string' }, models: { type: 'string' }, json: { type: 'boolean' },
    },
    allowPositionals: true,
  })
}

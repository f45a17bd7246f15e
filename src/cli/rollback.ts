import { parseArgs } from 'node:util'
import { openAliasBook } from '../artifact/alias-book.ts'
import { aliasTarget } from '../artifact/aliases.ts'
import type { AliasBook } from '../artifact/change-alias.ts'
import { trailOf } from '../artifact/history.ts'
import { repositoryStore } from '../artifact/model-store.ts'
import type { ModelEntry } from '../artifact/store.ts'
import { FatalError } from '../errors.ts'
import { findModel, modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import { checkVersion, readAuthor } from './repository-flags.ts'
import { mustVerify, printSwitch, switchAlias } from './switch-alias.ts'
import { type Terminal, UsageError, type Verb } from './verb.ts'

export const rollback: Verb = {
  name: 'rollback',
  summary: 'Let the version answer that did before the last promote',
  help: `Usage: modelport rollback NAME [--to VERSION] [--why TEXT] [--who NAME] [--models FOLDER] [--json]

Production goes back to what it was before the last promote, by <models>/NAME/history.jsonl; again, to what it
was before that. The version is verified first, and the change is a line of the history itself.

  --to VERSION     go back to this version instead
  --why TEXT       the reason, for the history
  --who NAME       who it is, for the history (default: user@host)
  --models FOLDER  the model repository, or s3://bucket/prefix (default: MODELS_DIR, else ./models)
  --json           print {"name", "alias", "from", "to"}

Example:
  modelport rollback iris --why "drift in petal_length"
`,
  run: async (args, terminal) => {
    const { name, to: asked, models, json, author } = readFlags(args, terminal)
    const store = repositoryStore(models)
    const book = openAliasBook(models)
    const entry = findModel((await store.list()).models, name)
    const { from, to } = await goal(entry, book, asked)
    await mustVerify(store, name, to, terminal)
    const change = await switchAlias({ book, name, alias: 'production', from, to, action: 'rollback', author })
    if ('overtakenBy' in change) throw new FatalError(`somebody else let production name ${change.overtakenBy ?? 'nothing'} meanwhile: nothing is changed`)
    if (json) terminal.out(JSON.stringify({ name, alias: change.alias, from: change.from, to }))
    else printSwitch(models, name, change, terminal)
  },
}

/** @throws FatalError when there is nothing to go back to */
async function goal (entry: ModelEntry, book: AliasBook, asked: string | undefined): Promise<{ from: string | undefined, to: string }> {
  const { name, versions } = entry
  await book.mend(name)
  const from = aliasTarget(await book.aliases(name), 'production')
  const before = trailOf(await book.history(name), 'production', from).filter(version => version !== from).at(-1)
  const to = asked ?? before
  if (to === undefined) {
    const state = from === undefined ? 'has no production' : `has had no other production than ${from}`
    throw new FatalError(`${name} ${state}, by its history: say which version with --to; there are ${versions.join(', ') || 'none'}`)
  }
  if (to === from) throw new FatalError(`${name}: production is ${to} already`)
  if (asked === undefined && !versions.includes(to)) throw new FatalError(`${name}: production was ${to} before, which is no longer there: say which version with --to; there are ${versions.join(', ') || 'none'}`)
  return { from, to: checkVersion(entry, to) }
}

function readFlags (args: readonly string[], terminal: Terminal) {
  const { values, positionals } = parse(args)
  const what = onlyArgument(positionals)
  if (what === undefined) throw new UsageError('which model is missing: NAME')
  const { name, version } = parseModelArgument(what)
  if (version !== undefined) throw new UsageError(`a model, not a version: ${name} --to ${version}`)
  return { name, to: values.to, models: modelsFolder(values.models, terminal), json: values.json === true, author: readAuthor(values, terminal) }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: { to: { type: 'string' }, why: { type: 'string' }, who: { type: 'string' }, models: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  })
}

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { folderStore } from '../artifact/folder-store.ts'
import { isS3Uri } from '../artifact/s3-uri.ts'
import { type Sweep, planSweep, sweep } from '../artifact/sweep.ts'
import { FatalError } from '../errors.ts'
import { findModel, modelsFolder, onlyArgument, parseModelArgument } from './model-argument.ts'
import { UsageError, type Verb } from './verb.ts'

export const gc: Verb = {
  name: 'gc',
  summary: 'Remove versions that nobody needs, and what interrupted writes have left',
  help: `Usage: modelport gc [NAME] [--keep N] [--yes | --dry-run] [--models FOLDER] [--json]

Lists versions that no alias names, that are not among the newest, and that no rollback leads to, and what
interrupted writes have left. They are removed with --yes only. The newest version whose files are whole
always stays, and so does what is being written.

  NAME             one model (default: all of them)
  --keep N         how many of the newest versions stay (default: 3)
  --yes            remove what is listed
  --dry-run        list only, as without --yes
  --models FOLDER  the model repository (default: MODELS_DIR, else ./models)
  --json           print {"removed", "models": [{"name", "versions", "leftovers", "stranded"}]}

Example:
  modelport gc iris --keep 5 --yes
`,
  run: async (args, terminal) => {
    const { name, keep, models, removes, json } = readFlags(args)
    const root = modelsFolder(models, terminal)
    if (isS3Uri(root)) throw new FatalError(`gc works on a folder, and ${root} is none: remove versions there with a tool for S3, or by a lifecycle rule`)
    const { models: entries } = await folderStore(root).list()
    const wanted = name === undefined ? entries : [findModel(entries, name)]
    const plans: (Sweep & { name: string })[] = []
    for (const { name } of wanted) {
      const plan = { name, ...await planSweep(root, name, keep) }
      if (!json) sweepLines(root, plan).forEach(terminal.out)
      plans.push(removes && !isEmpty(plan) ? { name, ...await sweep(root, name, keep) } : plan)
    }
    if (json) return terminal.out(JSON.stringify({ removed: removes, models: plans }))
    for (const { folder, version } of plans.flatMap(plan => plan.stranded)) {
      terminal.err(`warning: ${folder} holds version ${version}, which is nowhere else: rename the folder to ${version}, or remove it`)
    }
    terminal.out(conclusion(plans.filter(plan => !isEmpty(plan)).length, removes))
  },
}

function conclusion (count: number, removes: boolean): string {
  if (count === 0) return 'there is nothing to remove'
  return removes ? 'removed' : 'nothing is removed yet: --yes removes what is listed'
}

function isEmpty ({ versions, leftovers }: Sweep): boolean {
  return versions.length + leftovers.length === 0
}

function sweepLines (root: string, { name, versions, leftovers }: Sweep & { name: string }): string[] {
  return [
    ...versions.map(version => `${name} ${version}`),
    ...leftovers.map(entry => `${join(root, name, entry)}  left by an interrupted command`),
  ]
}

function readFlags (args: readonly string[]) {
  const { values: { keep = '3', yes = false, 'dry-run': dryRun = false, models, json = false }, positionals } = parse(args)
  const what = onlyArgument(positionals)
  const chosen = what === undefined ? undefined : parseModelArgument(what)
  if (chosen?.version !== undefined) throw new UsageError(`a model, not a version: ${chosen.name}`)
  if (!/^[1-9]\d{0,5}$/.test(keep)) throw new UsageError(`--keep must be a whole number of at least 1, not ${JSON.stringify(keep)}`)
  if (yes && dryRun) throw new UsageError('--yes and --dry-run exclude each other')
  return { name: chosen?.name, keep: Number(keep), removes: yes, models, json }
}

function parse (args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: { keep: { type: 'string' }, yes: { type: 'boolean' }, 'dry-run': { type: 'boolean' }, models: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  })
}

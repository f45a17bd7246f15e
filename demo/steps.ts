import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Commands } from './commands.ts'

export interface Plan {
  readonly commands: Commands
  /** How modelport is called: npx modelport. */
  readonly modelport: string
  /** Where all goes, as the commands name it. */
  readonly folder: string
  readonly transactions: number
  readonly seed: number
}

/** The model learns from what was known on this day and came after it … */
const learnedOn = '2011-06-01'
/** … and is asked about this day, three months on: what it must tell was future to all that it has learned. */
const askedOn = '2011-09-01'

export interface Step {
  readonly title: string
  readonly command: string
  /** Runs the command. @returns lines that tell what came of it */
  readonly run: (command: string) => Promise<string[]>
}

/** The way from raw data to answers. Each step needs those before it. */
export async function * steps ({ commands, modelport, folder, transactions, seed }: Plan): AsyncGenerator<Step> {
  const at = (name: string): string => `${folder}/${name}`
  const models = `--models ${at('models')}`
  const telling = (pattern: RegExp) => async (command: string) => (await commands.run(command)).out.split('\n').filter(line => pattern.test(line))

  yield {
    title: 'Raw data: a year of a shop\'s books, made up',
    command: `npx tsx demo/make-shop.ts --transactions ${transactions} --seed ${seed} --output ${at('raw.csv')}`,
    run: telling(/rows/),
  }
  yield {
    title: 'Clean it: types, duplicates, cancellations; every row is accounted for',
    command: `${modelport} etl clean --input ${at('raw.csv')} --output ${at('clean.parquet')}`,
    run: telling(/^(read|kept|what)|-[1-9]/),
  }
  yield {
    title: 'Features of each customer on a day, and whether they buy again within 90 days',
    command: `${modelport} etl rfm --input ${at('clean.parquet')} --cutoff ${learnedOn} --output ${at('customers.csv')}`,
    run: telling(/customers,/),
  }
  yield {
    title: 'The same three months later: the exam',
    command: `${modelport} etl rfm --input ${at('clean.parquet')} --cutoff ${askedOn} --output ${at('later.csv')}`,
    run: telling(/customers,/),
  }
  yield {
    title: 'Train a model',
    command: `${modelport} train --data ${at('customers.csv')} --target buys_again --name repurchase --drop customer --drop cutoff` +
      ` --algorithm gradient-boosting --trees 60 --params learningRate=0.05,maxLeaves=8 --out ${at('models')}`,
    run: telling(/rows|cross-validation/),
  }
  yield {
    title: 'Report: how good it is on the later day, as a page',
    command: `${modelport} report repurchase@1.0.0 --data ${at('later.csv')} --target buys_again ${models} --out ${at('report.html')} --json`,
    run: async command => [...scores((await commands.run(command)).out), at('report.html')],
  }
  yield {
    title: 'Drift: how far the later customers are from those that it has learned from',
    command: `${modelport} drift repurchase@1.0.0 --data ${at('later.csv')} ${models}`,
    run: async command => (await commands.run(command)).out.trimEnd().split('\n'),
  }
  yield {
    title: 'Promote it to production',
    command: `${modelport} promote repurchase@1.0.0 production --why "first model" ${models}`,
    run: telling(/is now/),
  }
  yield * answers({ commands, modelport }, at, models)
}

async function * answers ({ commands, modelport }: Pick<Plan, 'commands' | 'modelport'>, at: (name: string) => string, models: string): AsyncGenerator<Step> {
  const entry = { url: '', token: '' }
  yield {
    title: 'Serve it, until the demo is over',
    command: `${modelport} serve ${models} --port 0`,
    run: async command => {
      const server = commands.service(command)
      const [, url = '', token = ''] = await server.until(/(http:\/\/localhost:\d+)\/docs[^]*^TOKEN=(\S+)$/m)
      Object.assign(entry, { url, token })
      return [`${url}/docs, with a token for this run`]
    },
  }
  const row = await firstCustomer(at)
  yield {
    title: 'Ask about one customer',
    command: `curl -s --fail-with-body ${entry.url}/predict -H "authorization: Bearer ${entry.token}" -H "content-type: application/json" -d ${quoted(JSON.stringify(row))}`,
    run: async command => {
      const { out } = await commands.run(command)
      return [out.trim()]
    },
  }
  yield {
    title: 'Ask about all customers, without the server',
    command: `${modelport} batch --model repurchase ${models} --input ${at('later.csv')} --keep customer --output ${at('scored')}`,
    run: async command => [(await commands.run(command)).out.trim()],
  }
}

/** @param json what `report --json` prints */
function scores (json: string): string[] {
  const { versions } = JSON.parse(json) as { versions: { measured: { rows: number }, metrics: Record<string, number> }[] }
  return versions.map(({ measured: { rows }, metrics: { roc_auc: auc, accuracy, brier } }) =>
    `${rows.toLocaleString('en')} customers: ROC AUC ${auc?.toFixed(3)}, accuracy ${accuracy?.toFixed(3)}, Brier score ${brier?.toFixed(3)}`)
}

/** The features of the first customer of the later day, as the model names them. */
async function firstCustomer (at: (name: string) => string): Promise<Record<string, number>> {
  const { features } = JSON.parse(await readFile(at(join('models', 'repurchase', '1.0.0', 'manifest.json')), 'utf8')) as { features: { name: string }[] }
  const [head = '', first = ''] = (await readFile(at('later.csv'), 'utf8')).split('\n', 2)
  const names = head.split(',')
  const cells = first.split(',')
  const known = features.flatMap(({ name }) => {
    const cell = cells[names.indexOf(name)] ?? ''
    return cell === '' ? [] : [[name, Number(cell)] as const]
  })
  return Object.fromEntries(known)
}

/** As one word of a command line, for the shells that run it. */
function quoted (text: string): string {
  return process.platform === 'win32' ? `"${text.replaceAll('"', '\\"')}"` : `'${text.replaceAll('\'', '\'\\\'\'')}'`
}

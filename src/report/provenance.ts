import { type Html, html } from './html.ts'
import { type Subject, titleOf } from './subject.ts'

/** By name, in the order in which they are told; texts only. */
type Facts = ReadonlyMap<string, string>

/** Where data and model come from; of two versions side by side, with what differs marked. */
export function provenanceSection (subjects: readonly Subject[]): Html {
  return html`<h3>Data</h3>
${factTable(subjects, dataFacts)}
<h3>Model</h3>
${factTable(subjects, modelFacts)}
<h3>Files</h3>
${factTable(subjects, fileFacts)}`
}

const dataKeys: Readonly<Record<string, string>> = { dataset: 'Dataset', sha256: 'SHA-256', rows: 'Rows', target: 'Target' }
const titles: Readonly<Record<string, string>> = { algorithm: 'Algorithm', params: 'Parameters', rounds: 'Rounds', seed: 'Seed' }

function dataFacts ({ manifest: { training = {} }, measured }: Subject): Facts {
  return new Map([
    ...Object.keys(dataKeys).flatMap((key): [string, string][] => training[key] === undefined ? [] : [[dataKeys[key]!, textOf(training[key])]]),
    ...(measured === undefined ? [] : [['Measured on', `${measured.file}: ${measured.rows} rows, target ${measured.target}`], ['… SHA-256', measured.sha256]] as const),
  ])
}

function modelFacts ({ manifest }: Subject): Facts {
  const { task, createdAt, labels, features, training = {} } = manifest
  const known = Object.entries(training).filter(([key]) => !Object.hasOwn(dataKeys, key))
  return new Map([
    ['Task', task],
    ...(createdAt === undefined ? [] : [['Created', createdAt] as const]),
    ...(labels === undefined ? [] : [['Classes', labels.join(', ')] as const]),
    ...(features === undefined ? [] : [['Features', features.map(({ name, type }) => `${name}: ${type}`).join(', ')] as const]),
    ...known.map(([key, value]) => [Object.hasOwn(titles, key) ? titles[key]! : key, textOf(value)] as const),
  ])
}

function fileFacts ({ manifest: { files } }: Subject): Facts {
  return new Map(Object.entries(files).map(([name, { bytes, sha256 }]) => [name, `${bytes} bytes, SHA-256 ${sha256}`]))
}

function textOf (value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return value.map(textOf).join(', ')
  return Object.entries(value).map(([key, inner]) => `${key} ${textOf(inner)}`).join(', ')
}

function factTable (subjects: readonly Subject[], read: (subject: Subject) => Facts): Html {
  const facts = subjects.map(read)
  const names = [...new Set(facts.flatMap(known => [...known.keys()]))]
  if (names.length === 0) return html`<p class="missing">The manifest says nothing of it.</p>`
  const head = subjects.length < 2 ? undefined : html`<thead><tr><td></td>${subjects.map(subject => html`<th scope="col">${titleOf(subject)}</th>`)}</tr></thead>`
  return html`<div class="scroll"><table class="facts">${head}
<tbody>${names.map(name => factRow(name, facts.map(known => known.get(name))))}</tbody>
</table></div>`
}

function factRow (name: string, values: readonly (string | undefined)[]): Html {
  const differs = values.some(value => value !== values[0])
  return html`<tr${differs ? html` class="differs"` : undefined}><th scope="row">${name}${differs ? html` <span class="mark">differs</span>` : undefined}</th>${values.map(value => html`<td>${value ?? '–'}</td>`)}</tr>
`
}

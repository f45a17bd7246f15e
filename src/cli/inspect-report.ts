import { shortList } from '../import/features.ts'
import type { Inspection } from '../import/inspect.ts'
import type { Feature, Manifest } from '../artifact/manifest.ts'
import { sizeText } from './repository-flags.ts'
import type { Terminal } from './verb.ts'

const kinds = { onnx: 'ONNX', xgboost: 'XGBoost', lightgbm: 'LightGBM', version: 'version' } as const
/** A person wants to see what it is made of, not every kind of node. */
const maxOperators = 12

/** An inspection for people. */
export function printInspection (title: string, { kind, bytes, graph, externalData, manifest, notices, obstacles }: Inspection, { out }: Pick<Terminal, 'out'>): void {
  const line = (name: string, text: string) => { if (text !== '') out(`  ${name.padEnd(11)} ${text}`) }
  out(`${title}: ${kinds[kind]}, ${sizeText(bytes)}`)
  if (manifest !== undefined) printManifest(manifest, line)
  if (graph !== undefined) {
    line('made by', kind === 'onnx' || kind === 'version' ? graph.producer : '')
    line('describes', graph.description)
    line('format', `IR ${graph.irVersion}, ${Object.entries(graph.opsets).map(([domain, version]) => `${domain} ${version}`).join(', ')}`)
    for (const [role, values] of [['inputs', graph.inputs], ['outputs', graph.outputs]] as const) {
      values.forEach(({ name, type, shape }, i) => { line(i === 0 ? role : '', `${name}  ${type} ${shape === undefined ? 'of unknown shape' : `[${shape.map(size => size === -1 ? '?' : size).join(', ')}]`}`) })
    }
    const operators = Object.entries(graph.operators)
    const rest = operators.length - maxOperators
    line('operators', operators.slice(0, maxOperators).map(([name, count]) => `${name} ${count}`).join(', ') + (rest > 0 ? ` and ${rest} more` : ''))
    line('parameters', graph.parameters.toLocaleString('en'))
    line('weights in', externalData.join(', '))
  }
  notices.forEach(notice => { line('note', notice) })
  obstacles.forEach(obstacle => { line('obstacle', obstacle) })
  out(obstacles.length > 0 ? 'It cannot be served.' : 'It can be served.')
}

function printManifest ({ task, description = '', features = [], labels = [], outputs = {}, files = {} }: Partial<Manifest>, line: (name: string, text: string) => void): void {
  line('about', description)
  line('task', task ?? '')
  features.forEach((feature, i) => { line(i === 0 ? 'features' : '', featureText(feature)) })
  line('classes', shortList(labels))
  line('answers', Object.entries(outputs).map(([role, output]) => `${role} from ${output}`).join(', '))
  Object.entries(files).forEach(([name, { bytes }], i) => { line(i === 0 ? 'files' : '', `${name}  ${sizeText(bytes)}`) })
}

function featureText ({ name, type, unit, minimum, maximum, enum: members, required }: Feature): string {
  const limits = minimum === undefined && maximum === undefined ? [] : [`${minimum ?? '…'} to ${maximum ?? '…'}`]
  const notes = [type, ...(unit === undefined ? [] : [unit]), ...limits, ...(members === undefined ? [] : [shortList(members.map(String))]), ...(required === false ? ['may be missing'] : [])]
  return `${name}  ${notes.join(', ')}`
}

import { join } from 'node:path'
import type { Manifest } from '../artifact/manifest.ts'
import type { MadeVersion } from '../import/version.ts'
import { shortList } from '../import/features.ts'
import { exampleRows } from '../schemas/examples.ts'
import { sizeText } from './repository-flags.ts'
import type { Terminal } from './verb.ts'

/** Tells what an import made, and what to do next. */
export function printImport ({ manifest, notices }: MadeVersion, folder: string, json: boolean, { out, err }: Terminal): void {
  const { name, version, task, features, labels, outputs, files } = manifest
  if (json) return out(JSON.stringify({ name, version, folder, task, features, labels, outputs, files, notices }))
  for (const notice of notices) err(`${name}: ${notice}`)
  out(`${name} ${version}: ${task}${features === undefined ? '' : ` by ${shortList(features.map(feature => feature.name))}`}`)
  if (labels !== undefined) out(`  classes  ${shortList(labels)}`)
  if (outputs !== undefined) out(`  outputs  ${Object.entries(outputs).map(([role, output]) => `${role} from ${output}`).join(', ')}`)
  if (features !== undefined && !('golden.json' in files)) out('  no golden rows: nothing proves that it answers as it did where it was trained (--golden)')
  for (const [file, { bytes }] of Object.entries(files)) out(`  ${join(folder, file)}  ${sizeText(bytes)}`)
  for (const line of nextSteps(manifest)) out(line)
}

function nextSteps ({ name, version, features }: Manifest): string[] {
  const serve = ['', 'Next:', `  npx modelport verify ${name}@${version}`, '  npm start']
  if (features === undefined) return [...serve, `  curl -s http://localhost:8000/v2/models/${name} -H "authorization: Bearer $TOKEN"`]
  const [row] = exampleRows(features)
  return [
    ...serve,
    `  curl -s http://localhost:8000/models/${name}/predict -H "authorization: Bearer $TOKEN" \\`,
    `    -H 'content-type: application/json' -d '${JSON.stringify(row).replaceAll("'", "'\\''")}'`,
  ]
}

import type { DocumentedModel } from './schemas/openapi.ts'
import { exampleRows } from './schemas/examples.ts'

/** How a caller gets past the door: with the token made for this run, with one of their own, or as they are. */
export type Entry = { readonly kind: 'first-run', readonly token: string } | { readonly kind: 'jwt' } | { readonly kind: 'open' }

/** What a person sees once the models are loaded: where the documents are, and a request to paste. */
export function welcome (models: readonly DocumentedModel[], port: number, entry: Entry): string {
  const base = `http://localhost:${port}`
  const serving = models.filter(({ isServing }) => isServing)
  const rows = serving.filter(({ manifest }) => manifest.features !== undefined)
  const shown = rows.find(({ isDefault }) => isDefault) ?? rows[0]
  return [
    '',
    `modelport serves ${serving.map(({ manifest }) => `${manifest.name} ${manifest.version}`).join(', ') || 'no model yet'}.`,
    `Try it in a browser: ${base}/docs`,
    ...(entry.kind === 'first-run' ? ['', 'No key is set, so this token was made for this run; it is valid for 12 hours:', '', `TOKEN=${entry.token}`] : []),
    ...(shown === undefined ? [] : ['', 'Paste this:', '', ...curl(shown, base, entry)]),
    '',
    '',
  ].join('\n')
}

function curl ({ manifest: { name, features = [] }, isDefault }: DocumentedModel, base: string, entry: Entry): string[] {
  const [row] = exampleRows(features)
  return [
    `curl -s ${base}${isDefault ? '/predict' : `/models/${name}/predict`} \\`,
    ...authorization(entry),
    "  -H 'content-type: application/json' \\",
    `  -d '${JSON.stringify(row).replaceAll("'", "'\\''")}'`,
  ]
}

function authorization (entry: Entry): string[] {
  switch (entry.kind) {
    case 'first-run': return [`  -H 'authorization: Bearer ${entry.token}' \\`]
    case 'jwt': return ['  -H "authorization: Bearer $(npx modelport token --sub me)" \\']
    case 'open': return []
    default: return entry satisfies never
  }
}

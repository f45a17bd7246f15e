import { exampleRows } from './schemas/examples.ts'
import type { DocumentedModel } from './schemas/openapi.ts'

/**
 * What a person sees once the models are loaded: where the documents are, and a request to paste.
 *
 * @param token the one made for this run, if there is one
 */
export function welcome (models: readonly DocumentedModel[], port: number, token: string | undefined): string {
  const base = `http://localhost:${port}`
  const serving = models.filter(({ isServing, manifest }) => isServing && manifest.features !== undefined)
  const shown = serving.find(({ isDefault }) => isDefault) ?? serving[0]
  const lines = ['', `  modelport serves ${serving.map(({ manifest }) => `${manifest.name} ${manifest.version}`).join(', ') || 'no model with features'}`, `  Documents: ${base}/docs and ${base}/redoc`]
  if (token !== undefined) lines.push('', '  No key is set, so this token was made for this run; it ends in 12 hours:', '', `TOKEN=${token}`)
  if (shown !== undefined) lines.push('', ...curl(shown, base, token !== undefined))
  return `${lines.join('\n')}\n\n`
}

function curl ({ manifest: { name, features = [] }, isDefault }: DocumentedModel, base: string, withToken: boolean): string[] {
  const path = isDefault ? '/predict' : `/models/${name}/predict`
  const [row] = exampleRows(features)
  return [
    `curl -s ${base}${path} \\`,
    `  -H "Authorization: Bearer ${withToken ? '$TOKEN' : '<token>'}" \\`,
    '  -H "Content-Type: application/json" \\',
    `  -d '${JSON.stringify(row).replaceAll("'", "'\\''")}'`,
  ]
}

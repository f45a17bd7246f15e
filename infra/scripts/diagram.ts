import { writeFileSync } from 'node:fs'
import { verbOf } from '../cli/program.ts'

const help = `
Usage: npm run diagram

Draws docs/aws.svg from the synthesised templates: the stacks of production with all that can be on, and what is in each.

Example:
  npm run diagram
`

export const diagramFile = new URL('../../docs/aws.svg', import.meta.url)

export const verb = verbOf(help, {}, async (_, terminal) => {
  // Loaded when it is asked for: no other verb needs CDK.
  const { everythingOn, read } = await import('../diagram/read.ts')
  const [{ draw }, { layoutOf }] = await Promise.all([import('../diagram/draw.ts'), import('../diagram/layout.ts')])
  writeFileSync(diagramFile, draw(layoutOf(read('production', everythingOn))))
  terminal.out('docs/aws.svg is drawn.')
})

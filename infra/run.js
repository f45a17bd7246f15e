/**
 * `node infra/run.js VERB …` runs infra/scripts/VERB.ts: what the verbs of the repository's package.json call. They need packages that
 * only who deploys has installed.
 */
import { existsSync } from 'node:fs'

const [name = '', ...args] = process.argv.slice(2)
const script = new URL(`scripts/${name.replace(':', '-')}.ts`, import.meta.url)
if (!existsSync(new URL('node_modules', import.meta.url))) {
  console.error('The packages that deploy to AWS are not installed. They are apart from the server\'s: npm --prefix infra ci')
  process.exitCode = 1
} else if (!/^[a-z]+([:-][a-z]+)*$/.test(name) || !existsSync(script)) {
  console.error(`There is no verb ${JSON.stringify(name)}; \`npm run\` lists those that there are.`)
  process.exitCode = 2
} else {
  const { register } = await import('tsx/esm/api')
  register()
  const [{ run }, { verb }] = await Promise.all([import('./cli/program.ts'), import(script.href)])
  process.exitCode = await run(verb, args, { out: line => console.log(line), err: line => console.error(line), env: process.env, input: process.stdin })
}

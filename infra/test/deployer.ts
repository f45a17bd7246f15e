import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { run, type Verb } from '../cli/program.ts'

export const launcher = fileURLToPath(new URL('../run.js', import.meta.url))
export const folder = mkdtempSync(join(tmpdir(), 'modelport-scripts-'))
const programs = join(folder, 'bin')
const calls = join(folder, 'calls')

/** Stand-ins for what is on a deployer's PATH: each writes down how it was called, and answers as AWS would. */
// Whoever is handed something is called after who hands it on.
const first = 'if [ "$1" = login ]; then cat > /dev/null; fi'
const stubs = {
  /* eslint-disable no-template-curly-in-string -- these are the shell's */
  aws: `case "$*" in
    *get-caller-identity*) if [ -n "$SIGNED_OUT" ]; then echo 'Unable to locate credentials' >&2; exit 253; fi; echo 123456789012 ;;
    *get-parameter*) exit "\${BOOTSTRAPPED:-0}" ;;
    *get-login-password*) echo secret-password ;;
    *imageDigest*--output*) echo sha256:00ff ;;
    *head-bucket*) exit "\${THERE:-0}" ;;
    *list-object-versions*) if [ ! -e "$HOME/emptied" ]; then echo '{"Versions":[{"Key":"a b","VersionId":"1","Size":3}],"DeleteMarkers":[{"Key":"c","VersionId":"2"}]}'; fi ;;
    *delete-objects*) cp "$(echo "$*" | sed 's/.*file:\\/\\/\\([^ ]*\\).*/\\1/')" "$HOME/deleted"; touch "$HOME/emptied" ;;
    *start-execution*) echo arn:of-the-execution ;;
    *describe-execution*) echo SUCCEEDED ;;
    *manifest.json*) echo "\${MANIFEST:-$COMPLETE}" ;;
    *describe-images*|*"s3 ls"*) exit "\${THERE:-0}" ;;
    *OutputKey*) echo "$*" | sed "s/.*OutputKey, '\\([A-Za-z]*\\)'.*/\\1-of-the-stack/" ;;
  esac`,
  docker: 'case "$1" in info) exit "${DOCKER:-0}" ;; esac',
  npx: '',
  npm: '',
  node: '',
  /* eslint-enable no-template-curly-in-string */
}

/** For beforeAll; `removeStubs` is for afterAll. */
export function putStubs (): void {
  mkdirSync(programs, { recursive: true })
  for (const [name, body] of Object.entries(stubs)) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${first}\necho "${name} $*" >> "${calls}"\n${body}\n`)
    chmodSync(join(programs, name), 0o755)
  }
}

export function removeStubs (): void {
  rmSync(folder, { recursive: true, force: true })
}

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface World {
  readonly env?: Record<string, string>
  readonly input?: string
}

const environment = (env: World['env'] = {}) => ({ PATH: `${programs}:/usr/bin:/bin`, HOME: folder, ...env })

/** One verb in this process; the programs that it calls are processes of their own. */
export async function call (name: string, args: readonly string[], { env, input = '' }: World = {}): Promise<Run> {
  const { verb } = await import(`../scripts/${name.replace(':', '-')}.ts`) as { verb: Verb }
  const out: string[] = []
  const err: string[] = []
  const code = await run(verb, args, { out: line => { out.push(line) }, err: line => { err.push(line) }, env: environment(env), input: Readable.from(input === '' ? [] : [input]) })
  return { code, stdout: out.map(line => `${line}\n`).join(''), stderr: err.map(line => `${line}\n`).join('') }
}

/** A program in a process of its own. */
export function start (program: string, args: readonly string[], { env, input = '' }: World = {}): Promise<Run> {
  return new Promise(resolve => {
    const child = execFile(program, args, { env: environment(env) }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
    // Who refuses early reads no answer.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

export function callsOnce (): string[] {
  const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
  rmSync(calls, { force: true })
  // Names that no two runs share.
  return lines.map(line => line.replace(/\/\S*\/rows\.csv (?=s3:)/, 'rows.csv ').replace(/smoke-\d+/g, 'smoke'))
}

import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { infraFolder } from './paths.ts'
import { Refusal, type Terminal } from './program.ts'

export type Command = readonly [program: string, ...args: string[]]

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Stands for what a command would have printed, had it been run: becomes `${NAME}` in double quotes. */
const reference = (name: string) => `\u0001${name}\u0002`
const references = /\u0001(\w+)\u0002/g // eslint-disable-line no-control-regex

/**
 * Runs programs in the folder infra, or in a dry run prints them instead, as a shell script that does the same: what a command answers
 * becomes a variable there, and what is done only if it is needed an `if`.
 */
export class Shell {
  readonly isDryRun: boolean
  readonly #terminal: Terminal
  #indent = ''

  constructor (terminal: Terminal, { isDryRun }: { isDryRun: boolean }) {
    this.#terminal = terminal
    this.isDryRun = isDryRun
    if (isDryRun) this.#print('set -e', `cd ${quote(infraFolder)}`)
  }

  /** What the person is told; a comment in the script. */
  say (text: string): void {
    for (const line of text.split('\n')) {
      if (this.isDryRun) this.#print(line === '' ? '' : `# ${line}`)
      else this.#terminal.out(line)
    }
  }

  /** Runs to its end, with our own stdin, stdout and stderr. */
  async run (command: Command): Promise<void> {
    if (this.isDryRun) return this.#print(text(command))
    this.#terminal.out(`> ${text(command)}`)
    const { code } = await this.#start(command, 'inherit')
    if (code !== 0) throw new Refusal(`${command[0]} failed (${code === null ? 'ended by a signal' : `exit code ${code}`}): ${text(command)}`)
  }

  /**
   * @param name of the variable that holds the answer in the script
   * @returns    what it prints, without blanks around it
   */
  async read (name: string, command: Command, what: string): Promise<string> {
    if (this.isDryRun) {
      this.#print(`${name}=$(${text(command)})`)
      return reference(name)
    }
    const { code, stdout, stderr } = await this.#start(command, 'pipe')
    if (code !== 0) throw new Refusal(`${what}\n${stderr.trim()}`.trim())
    return stdout.trim()
  }

  /** Goes on only if the command succeeds. */
  async must (command: Command, what: string): Promise<void> {
    if (this.isDryRun) return this.#print(`${text(command)} > /dev/null || { echo ${quote(what)} >&2; exit 1; }`)
    const { code, stderr } = await this.#start(command, 'pipe')
    if (code !== 0) throw new Refusal(`${what}\n${stderr.trim()}`.trim())
  }

  /** Whether it ends well; not for dry runs, which cannot know. */
  async succeeds (command: Command): Promise<boolean> {
    return (await this.#start(command, 'pipe')).code === 0
  }

  /** Does `body` unless the command says that it has been done. */
  async unless (done: Command, body: () => Promise<void>): Promise<void> {
    if (!this.isDryRun) {
      if (!await this.succeeds(done)) await body()
      return
    }
    this.#print(`if ! ${text(done)} > /dev/null 2>&1; then`)
    this.#indent += '  '
    await body()
    this.#indent = this.#indent.slice(2)
    this.#print('fi')
  }

  /** Asks again and again, for as long as the answer is this one. */
  async waitWhile (answer: string, command: Command, what: string, { pauseSeconds }: { pauseSeconds: number }): Promise<void> {
    if (this.isDryRun) return this.#print(`while [ "$(${text(command)})" = ${answer} ]; do sleep ${pauseSeconds}; done`)
    while (await this.read('ANSWER', command, what) === answer) await sleep(pauseSeconds * 1000)
  }

  /** `from | to`, so that what goes through is never an argument, which other users of the machine could see. */
  async pipe (from: Command, to: Command, what: string): Promise<void> {
    if (this.isDryRun) return this.#print(`${text(from)} | ${text(to)}`)
    this.#terminal.out(`> ${text(from)} | ${text(to)}`)
    const answer = await this.#start(from, 'pipe')
    if (answer.code !== 0) throw new Refusal(`${what}\n${answer.stderr.trim()}`)
    const { code, stderr } = await this.#start(to, 'pipe', answer.stdout)
    if (code !== 0) throw new Refusal(`${what}\n${stderr.trim()}`)
  }

  #start (command: Command, io: 'inherit' | 'pipe', input?: string): Promise<Outcome> {
    return start(command, this.#terminal.env, io, input)
  }

  #print (...lines: string[]): void {
    for (const line of lines) this.#terminal.out(line === '' ? '' : this.#indent + line)
  }
}

function start ([program, ...args]: Command, env: NodeJS.ProcessEnv, io: 'inherit' | 'pipe', input?: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: infraFolder, env, stdio: io === 'inherit' ? 'inherit' : [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
    child.stderr?.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
    child.on('error', error => {
      reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? new Refusal(`There is no program ${program} on the PATH: ${whereToGet[program] ?? 'install it'}.`) : error)
    })
    child.on('close', code => { resolve({ code, stdout, stderr }) })
    // A program that ends without reading is told of by its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

const whereToGet: Readonly<Record<string, string>> = {
  aws: 'install the AWS CLI, version 2 (https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html), and sign in with `aws configure` or `aws sso login`',
  docker: 'install Docker (https://docs.docker.com/engine/install/), or build and push the image where there is one',
}

function text (command: Command): string {
  return command.map(quote).join(' ')
}

/** For sh. */
function quote (word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  if (!references.test(word)) return `'${word.replaceAll("'", "'\\''")}'`
  references.lastIndex = 0
  return `"${word.replace(/[\\"$`]/g, '\\$&').replace(references, (_, name: string) => `\${${name}}`)}"`
}

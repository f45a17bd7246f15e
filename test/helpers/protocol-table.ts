import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { withBlock } from './settings-docs.ts'

const document = new URL('../../docs/protocols.md', import.meta.url)

interface Rule { readonly route: string, readonly text: string, tests: number, passed: number }

interface ProtocolTable {
  /** A test that is also a row of the table. The same rule may be tested several times, told apart by `example`: it is one row. */
  rule: (route: string, text: string, run: () => void | Promise<void>, example?: string) => void
  /** One row for a rule that is tested on several examples; the first of each is its name. */
  ruleEach: <Example extends readonly [name: string, ...unknown[]]>(route: string, text: string, examples: readonly Example[], run: (...example: Example) => void | Promise<void>) => void
  /**
   * Stands at the end of the file: the test that docs/protocols.md has exactly these rules between
   * `<!-- section -->` and `<!-- /section -->`. With `--update` it writes them there.
   */
  table: () => void
}

/**
 * The rules of one test file, as a section of docs/protocols.md with a mark at each that passed.
 *
 * @param section  the name of the markers; one test file each
 */
export function protocolTable (section: string): ProtocolTable {
  const rules: Rule[] = []

  function rule (route: string, text: string, run: () => void | Promise<void>, example?: string): void {
    const noted = ruleOf(rules, route, text)
    noted.tests++
    test([route, text, ...example === undefined ? [] : [example]].join(': '), async () => {
      await run()
      noted.passed++
    })
  }

  return {
    rule,
    ruleEach: (route, text, examples, run) => {
      for (const example of examples) rule(route, text, () => run(...example), example[0])
    },
    table: () => {
      test(`docs/protocols.md has these rules as ${section}`, context => {
        // A name filter or a failed test: there is no whole table to compare.
        if (rules.some(({ tests, passed }) => passed < tests)) return context.skip('only some of the rules were run, or passed')
        const before = readFileSync(document, 'utf8')
        const after = withBlock(before, section, render(rules))
        if (isUpdating()) writeFileSync(document, after)
        else expect(before, 'bring it into step with --update').toBe(after)
      })
    },
  }
}

function ruleOf (rules: Rule[], route: string, text: string): Rule {
  const known = rules.find(rule => rule.route === route && rule.text === text)
  if (known !== undefined) return known
  const added = { route, text, tests: 0, passed: 0 }
  rules.push(added)
  return added
}

function render (rules: readonly Rule[]): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|')
  const rows = rules.map(({ route, text }) => `| \`${cell(route)}\` | ${cell(text)} | ✔ |\n`)
  return `| route | rule | |\n| --- | --- | --- |\n${rows.join('')}`
}

/** Several files write to the one document, each its own section at once: a file snapshot would write all of it, later. */
function isUpdating (): boolean {
  const { snapshotState } = expect.getState() as unknown as { snapshotState?: { _updateSnapshot?: string } }
  return snapshotState?._updateSnapshot === 'all'
}

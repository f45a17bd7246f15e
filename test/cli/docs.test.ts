import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { modelport } from './modelport.ts'

// `npx vitest run test/cli/docs.test.ts --update` writes the help of each verb into its section.

const document = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const { out: overview } = await modelport(['--help'])
const verbs = Array.from(overview.matchAll(/^ {2}(\w+) +[A-Z]/gm), ([, name = '']) => name)

/** The section of each verb begins with its help, in a block of its own. */
const helpBlock = /(?<=^## (\w+)\n\n```text\n)[^]*?(?=```$)/gm

describe('docs/cli.md', () => {
  test('has a section for each verb, in the order of the list', () => {
    expect(Array.from(document.matchAll(/^## (.+)$/gm), ([, title]) => title)).toEqual(verbs)
    expect(Array.from(document.matchAll(helpBlock), ([, name]) => name)).toEqual(verbs)
  })

  test('says what --help says', async () => {
    const helps = new Map(await Promise.all(verbs.map(async verb => [verb, (await modelport([verb, '--help'])).out] as const)))
    await expect(document.replace(helpBlock, (_text, verb: string) => helps.get(verb) ?? '')).toMatchFileSnapshot('../../docs/cli.md')
  })

  test.each(verbs)('shows modelport %s with what it prints', verb => {
    const section = document.split(/^## /m).find(text => text.startsWith(`${verb}\n`)) ?? ''
    expect(section).toMatch(new RegExp(`^\`\`\`(sh|console)\n(.+\n)*?.*modelport ${verb}\\b`, 'm'))
  })
})

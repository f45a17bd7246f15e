import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (file: string): string => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

test('CONTRIBUTING.md gives a reason for every dependency, and for no other package', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const [, section = ''] = read('CONTRIBUTING.md').split('## Dependencies')
  const explained = section.split('\n').flatMap(line => /^\| (`.*?`) \|/.exec(line)?.[1]?.match(/[^`, ]+/g) ?? [])
  expect(explained.sort()).toEqual([dependencies, optionalDependencies, devDependencies].flatMap(group => Object.keys(group ?? {})).sort())
})

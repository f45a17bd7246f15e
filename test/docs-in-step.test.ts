import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { errorTable } from '../src/errors.ts'
import { problemType } from '../src/schemas/problem.ts'
import { envExample, longTable, settingRows, withBlock } from './helpers/settings-docs.ts'

// What is rendered from the code is brought into step by `npx vitest run test/docs-in-step.test.ts --update`.

function read (path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
}

/** The cells of every row whose first cell is a code, without the head. */
function rowsOf (document: string): string[][] {
  return document.split('\n').filter(line => line.startsWith('| `')).map(line => line.split(/(?<!\\)\|/).slice(1, -1).map(cell => cell.trim()))
}

function code (text: string): string {
  return `\`${text}\``
}

test('docs/settings.md has the table of the settings', async () => {
  await expect(withBlock(read('docs/settings.md'), 'settings', longTable())).toMatchFileSnapshot('../docs/settings.md')
})

describe('.env.example', () => {
  test('has every setting with its default', async () => {
    expect(existsSync(new URL('../.env.example', import.meta.url))).toBe(true)
    await expect(envExample()).toMatchFileSnapshot('../.env.example')
  })

  test('changes nothing as it is', () => {
    const lines = read('.env.example').split('\n').filter(line => /^[A-Z]/.test(line))
    expect(lines.length).toBeGreaterThan(20)
    expect(loadConfig(Object.fromEntries(lines.map(line => line.split(/=(.*)/s) as [string, string])))).toEqual(loadConfig({}))
  })
})

test('the image sets what the table of the settings says', () => {
  const inImage = settingRows().flatMap(({ name, about }) => {
    const value = /`([^`]+)` in the image$/.exec(about)?.[1]
    return value === undefined ? [] : [`${name}=${value}`]
  })
  expect(inImage.length).toBeGreaterThan(0)
  const set = read('Dockerfile').split('\n').filter(line => line.startsWith('ENV ')).flatMap(line => line.split(/\s+/).slice(1))
  expect(set).toEqual(expect.arrayContaining(inImage))
})

describe('docs/errors.md', () => {
  const rows = rowsOf(read('docs/errors.md'))

  test('has every error of the code and no other, with its status, type and title', () => {
    const inCode = errorTable().map(({ code: name, status, title }) => [code(name), String(status), code(problemType(name)), title])
    expect(rows.map(([name, status, type, title]) => [name, status, type, title]).sort()).toEqual(inCode.sort())
  })

  test('says of each when it comes and what to do', () => {
    for (const [name, , , , when, remedy, ...more] of rows) {
      expect([when, remedy].every(text => (text ?? '').length > 5), name).toBe(true)
      expect(more, name).toEqual([])
    }
  })

  test('names settings that exist', () => {
    const named = new Set(read('docs/errors.md').match(/`(?:[A-Z]+_)+[A-Z]+`/g))
    const known = [...settingRows().map(({ name }) => name), ...errorTable().map(({ code: name }) => name)].map(code)
    expect(known).toEqual(expect.arrayContaining([...named]))
  })
})

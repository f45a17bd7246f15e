import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isName, sortVersions } from '../../src/artifact/names.ts'

describe('a name', () => {
  test.each(['iris', 'i', '9', '1.0.0', '1.0.0-rc.1', '20250717_214053', 'A_b-c.d', 'constructor', 'a..b', 'x'.repeat(64)])('may be %j', name => {
    expect(isName(name)).toBe(true)
  })

  test.each([
    '', ' ', '.', '..', '../iris', 'a/b', 'a\\b', '/etc', 'C:', '.hidden', '-x', '_x', '__proto__', 'a b', ' a', 'a ', 'a\n', '\na', 'a\0', 'a\0b',
    '%2e%2e', 'a%2fb', 'größe', 'ａ', '1.0.0+build', 'a:b', 'a*', 'x'.repeat(65),
  ])('may not be %j', name => {
    expect(isName(name)).toBe(false)
  })

  test('of any kind has 1 to 64 harmless characters', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.-]{0,70}$/)), text => {
      const harmless = [...text].every(character => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-'.includes(character))
      expect(isName(text)).toBe(harmless && text.length >= 1 && text.length <= 64 && !'._-'.includes(text[0] ?? ''))
    }))
  })
})

describe('versions, oldest first', () => {
  test.each<[order: string, versions: string[]]>([
    ['semver', ['0.9.10', '0.10.0', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0', '10.0.0']],
    ['semver with its pre-releases', [
      '0.9.9', '1.0.0-1', '1.0.0-2', '1.0.0-11', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.2', '1.0.0-alpha.11', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2',
      '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1-rc.1', '1.0.1',
    ]],
    ['pre-releases letter by letter', ['1.0.0--', '1.0.0-0a', '1.0.0-RC', '1.0.0-rc', '1.0.0-rc-1', '1.0.0-rc-11', '1.0.0-rc-2']],
    ['numbers longer than a double', ['1.0.0-9007199254740992', '1.0.0-9007199254740993', '1.0.9007199254740992', '1.0.9007199254740993']],
    ['dates', ['20250717_214053', '20250801_090000', '20251231_000000']],
    ['integers, as in a Triton tree', ['1', '2', '9', '10', '100']],
    ['a letter before', ['v1', 'v2', 'v10', 'v10.1', 'v10.2', 'v10.10']],
    ['two numbers', ['1.0', '1.2', '1.10', '2.0']],
    ['natural order where one is not semver', ['1.0.0', '1.0.0-rc.1', '1.0.1', 'latest']],
    ['zeros before a number, which semver does not have', ['1.0.0', '1.0.0-rc.1', '1.01.0', '1.2.0']],
    ['zeros before a number', ['01', '1', '02', '2', '10']],
    ['digits before letters, capitals before others', ['1', 'A', 'B', 'a', 'b']],
  ])('%s', (_order, versions) => {
    expect(sortVersions(versions)).toEqual(versions)
    expect(sortVersions([...versions].reverse())).toEqual(versions)
  })

  test('of none is none, and the argument stays as it was', () => {
    expect(sortVersions([])).toEqual([])
    const given = ['2', '1']
    sortVersions(given)
    expect(given).toEqual(['2', '1'])
  })
})

const digits = fc.oneof(fc.nat(20).map(String), fc.constantFrom('0', '9007199254740993', '90071992547409920'))
const identifier = fc.oneof(digits, fc.constantFrom('alpha', 'beta', 'rc', 'rc1', 'rc-1', 'RC', '0a', '-'))
const semver = fc.tuple(fc.tuple(digits, digits, digits), fc.array(identifier, { maxLength: 3 }))
  .map(([core, rest]) => rest.length === 0 ? core.join('.') : `${core.join('.')}-${rest.join('.')}`)
/** Never semver: it begins with a letter. */
const natural = fc.tuple(fc.constantFrom('v', 'x'), fc.array(fc.oneof(digits, fc.constantFrom('00', '01', '007', '.', '_', '-', 'a', 'B')), { maxLength: 5 }))
  .map(([letter, rest]) => letter + rest.join(''))

describe.each<[kind: string, versions: fc.Arbitrary<string>]>([['semver', semver], ['natural order', natural]])('%s is a total order', (_kind, version) => {
  const several = fc.uniqueArray(version, { minLength: 2, maxLength: 8 })

  test('however the versions were listed', () => {
    fc.assert(fc.property(several.chain(list => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))), ([list, shuffled]) => {
      expect(sortVersions(shuffled)).toEqual(sortVersions(list))
    }))
  })

  test('antisymmetric and transitive: any two stand as they would alone', () => {
    fc.assert(fc.property(several, list => {
      const sorted = sortVersions(list)
      sorted.forEach((lower, i) => sorted.slice(i + 1).forEach(higher => {
        expect(sortVersions([lower, higher])).toEqual([lower, higher])
        expect(sortVersions([higher, lower])).toEqual([lower, higher])
      }))
    }))
  })
})

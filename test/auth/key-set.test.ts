import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { KeySet } from '../../src/auth/key-set.ts'
import { jwksServer } from '../helpers/jwks.ts'
import { ecPair, edPair } from '../helpers/keys.ts'

const ec = { ...ecPair().jwk, kid: 'e' }
const ed = { ...edPair().jwk, kid: 'd' }

afterEach(() => { vi.useRealTimers() })

/** A key set with a monotonic clock that the test moves, and how often the keys changed. */
function keySet (url: string): { set: KeySet, onChange: ReturnType<typeof vi.fn> } {
  vi.useFakeTimers({ toFake: ['performance'] })
  const onChange = vi.fn<() => void>()
  const set = new KeySet({ url, onChange, log: { info: () => {}, warn: () => {} } })
  onTestFinished(() => set.close())
  return { set, onChange }
}

test('old keys are fetched anew in the background, so that a withdrawn one stops counting', async () => {
  const address = await jwksServer([ec, ed])
  const { set, onChange } = keySet(address.url)
  expect(await set.find('e')).toMatchObject({ algorithm: 'ES256' })
  address.keys = [ed]
  vi.advanceTimersByTime(599_000)
  await set.find('e')
  expect(address.fetches).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(await set.find('e')).toMatchObject({ algorithm: 'ES256' })
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(2))
  expect(await set.find('e')).toBeUndefined()
  expect(await set.find('d')).toMatchObject({ algorithm: 'EdDSA' })
  expect(address.fetches).toBe(2)
})

test('keys that are the same as before change nothing', async () => {
  const address = await jwksServer([ec, ed])
  const { set, onChange } = keySet(address.url)
  await set.find('e')
  address.keys = [ed, ec]
  vi.advanceTimersByTime(10_000)
  expect(await set.find('unknown')).toBeUndefined()
  expect(address.fetches).toBe(2)
  expect(onChange).toHaveBeenCalledTimes(1)
})

test('many that ask at once share one fetch', async () => {
  const address = await jwksServer([ec])
  const { set } = keySet(address.url)
  const found = await Promise.all(Array.from({ length: 50 }, (_, i) => set.find(i % 2 === 0 ? 'e' : `unknown-${i}`)))
  expect(found.filter(key => key !== undefined)).toHaveLength(25)
  expect(address.fetches).toBe(1)
})

import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { type Algorithm, algorithmOf, toPem } from './keys.ts'

interface PublicKey { algorithm: Algorithm, pem: string }

/** The keys could not be fetched, so nobody knows whether the token is good. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
  readonly retryAfterSeconds: number

  constructor (retryAfterSeconds: number) {
    super('The signing keys cannot be fetched')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

interface KeySetOptions {
  url: string
  log: { info: (data: object, message: string) => void, warn: (data: object, message: string) => void }
  /** The keys are others than before: what was verified with the old ones counts no more. */
  onChange: () => void
  /** The shortest time between two fetches, however many unknown key ids come in. */
  cooldownMs?: number
  /** After this the keys are fetched anew, so that a withdrawn one stops counting. */
  maxAgeMs?: number
  timeoutMs?: number
}

/**
 * The public keys behind a JWKS address, by `kid`. While the address fails, the last keys go on
 * counting. A `kid` is only ever looked up in a map, whatever text it is.
 */
export class KeySet {
  readonly #options: Required<KeySetOptions>
  readonly #closed = new AbortController()
  #keys = new Map<unknown, PublicKey>()
  #triedAtMs = -Infinity
  #fetchedAtMs = -Infinity
  #failing = false
  #refreshing: Promise<void> | undefined

  constructor (options: KeySetOptions) {
    this.#options = { cooldownMs: 10_000, maxAgeMs: 600_000, timeoutMs: 3000, ...options }
  }

  /**
   * @param kid of the token's header; without one, the only key there is
   * @returns undefined when the set, freshly fetched, has no such key
   * @throws KeysUnavailable when the key is unknown and the address fails
   */
  async find (kid: unknown): Promise<PublicKey | undefined> {
    const known = this.#lookUp(kid)
    if (known !== undefined) {
      // In the background: this caller need not wait for an address that may hang.
      if (performance.now() - this.#fetchedAtMs >= this.#options.maxAgeMs) this.refresh()
      return known
    }
    this.refresh()
    await this.#refreshing
    const found = this.#lookUp(kid)
    if (found === undefined && this.#failing) throw new KeysUnavailable(Math.ceil(this.#options.cooldownMs / 1000))
    return found
  }

  /** Begins to fetch the keys, unless that was tried within the cool-down. A failure is logged, once per outage. */
  refresh (): void {
    if (this.#refreshing !== undefined || performance.now() - this.#triedAtMs < this.#options.cooldownMs) return
    this.#triedAtMs = performance.now()
    this.#refreshing = this.#fetch().finally(() => { this.#refreshing = undefined })
  }

  close (): void {
    this.#closed.abort()
  }

  #lookUp (kid: unknown): PublicKey | undefined {
    if (kid === undefined && this.#keys.size === 1) return this.#keys.values().next().value
    return this.#keys.get(kid)
  }

  async #fetch (): Promise<void> {
    const { url, log, timeoutMs } = this.#options
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closed.signal])
      const response = await fetch(url, { signal, headers: { accept: 'application/json' } })
      if (!response.ok) throw new Error(`the address answers ${response.status}`)
      const keys = usableKeys(await response.json())
      // An empty set is more likely an accident than a wish to lock everyone out.
      if (keys.size === 0) throw new Error('the answer holds no key for RS256, ES256 or EdDSA')
      this.#fetchedAtMs = performance.now()
      this.#replace(keys)
      if (this.#failing) log.info({ keys: keys.size }, 'The signing keys can be fetched again')
      this.#failing = false
    } catch (error) {
      if (!this.#failing && !this.#closed.signal.aborted) {
        log.warn({ reason: (error as Error).message, keys: this.#keys.size }, 'The signing keys of JWT_JWKS_URL cannot be fetched; the last ones go on counting')
      }
      this.#failing = true
    }
  }

  #replace (keys: Map<unknown, PublicKey>): void {
    const same = keys.size === this.#keys.size && [...keys].every(([kid, key]) => this.#keys.get(kid)?.pem === key.pem)
    if (same) return
    this.#keys = keys
    this.#options.onChange()
  }
}

function usableKeys (answer: unknown): Map<unknown, PublicKey> {
  const list = (answer as { keys?: unknown } | null)?.keys
  if (!Array.isArray(list)) throw new Error('the answer is not a JSON object with "keys"')
  const keys = new Map<unknown, PublicKey>()
  for (const jwk of list) {
    const key = usableKey(jwk)
    if (key !== undefined) keys.set((jwk as { kid?: unknown }).kid, key)
  }
  return keys
}

/** Undefined for a key of another purpose, kind or algorithm: a set may hold such beside ours. */
function usableKey (jwk: unknown): PublicKey | undefined {
  try {
    const { use = 'sig', alg } = jwk as { use?: unknown, alg?: unknown }
    if (use !== 'sig') return undefined
    const key = createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput)
    const algorithm = algorithmOf(key)
    if (algorithm === undefined || (alg !== undefined && alg !== algorithm)) return undefined
    return { algorithm, pem: toPem(key) }
  } catch {
    return undefined
  }
}

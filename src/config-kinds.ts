import { isIP } from 'node:net'

/** How one kind of setting is read. `parse` throws an Error that says what is wrong with the text. */
export interface Kind<T> {
  parse: (raw: string) => T
  /** What is allowed, for messages and documents. */
  allowed: string
  /** Never shown; may also stand in the file that NAME_FILE names. */
  secret?: boolean
}

export function text (): Kind<string> {
  return { allowed: 'text', parse: raw => raw }
}

export function path (): Kind<string> {
  return { allowed: 'a folder', parse: raw => raw }
}

/** A folder, or a place in S3. */
export function pathOrS3 (): Kind<string> {
  return {
    allowed: 'a folder, or s3://bucket/prefix',
    parse: raw => {
      if (/^s3:/i.test(raw) && !/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/|$)/.test(raw)) throw new Error(`${JSON.stringify(raw)} is neither`)
      return raw
    },
  }
}

/** Where a route of the server is to be. */
export function route (): Kind<string> {
  return {
    allowed: 'a path that begins with / and has only letters, digits and . _ ~ : @ / -',
    parse: raw => {
      if (!/^\/[\w.~:@/-]*$/.test(raw)) throw new Error(`${JSON.stringify(raw)} is not allowed`)
      return raw
    },
  }
}

/** A shared secret, taken as it is. */
export function secret (minBytes: number): Kind<string> {
  return {
    allowed: `at least ${minBytes} bytes`,
    secret: true,
    parse: raw => {
      const length = Buffer.byteLength(raw)
      if (length < minBytes) throw new Error(`has ${length} bytes`)
      return raw
    },
  }
}

/** A key whose line breaks may be written as \n, where a variable can hold no others. What is in it, who uses it checks. */
export function pem (): Kind<string> {
  return { allowed: 'PEM', secret: true, parse: raw => raw.replaceAll('\\n', '\n') }
}

export function integer (min: number, max: number): Kind<number> {
  return {
    allowed: min === max ? `${min}` : `a whole number from ${min} to ${max}`,
    parse: raw => {
      const value = Number(raw)
      if (!/^\d+$/.test(raw) || value < min || value > max) throw new Error(`${JSON.stringify(raw)} is not allowed`)
      return value
    },
  }
}

/** The longest that a timer of the runtime can wait. */
const maxTimerMs = 2 ** 31 - 1

export function milliseconds (): Kind<number> {
  return { ...integer(1, maxTimerMs), allowed: `milliseconds, a whole number from 1 to ${maxTimerMs}` }
}

export function choice<const T extends string> (...choices: readonly T[]): Kind<T> {
  return {
    allowed: choices.join(', '),
    parse: raw => {
      const found = choices.find(choice => choice === raw)
      if (found === undefined) throw new Error(`${JSON.stringify(raw)} is not allowed`)
      return found
    },
  }
}

/** A CloudWatch namespace; those that begin with AWS/ are not ours to write. */
export function namespace (): Kind<string> {
  return {
    allowed: '1 to 255 letters, digits and . - _ / # :, not beginning with AWS/ or :',
    parse: raw => {
      if (!/^(?!AWS\/|:)[0-9A-Za-z._/#:-]{1,255}$/.test(raw)) throw new Error(`${JSON.stringify(raw)} is not a namespace`)
      return raw
    },
  }
}

export function onOff (): Kind<boolean> {
  const { allowed, parse } = choice('on', 'off')
  return { allowed, parse: raw => parse(raw) === 'on' }
}

export function url (...protocols: readonly string[]): Kind<string> {
  return {
    allowed: `an address that begins with ${protocols.map(protocol => `${protocol}//`).join(' or ')}`,
    parse: raw => {
      // The value stays out of the message: it may hold a password.
      if (!URL.canParse(raw) || !protocols.some(protocol => raw.toLowerCase().startsWith(`${protocol}//`))) throw new Error('is not such an address')
      return raw
    },
  }
}

const byteUnits: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

export function bytes (): Kind<number> {
  return {
    allowed: 'a size such as 500kb, 10mb or 1gb',
    parse: raw => {
      const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?b)?$/i.exec(raw) ?? []
      const value = Math.floor(Number(amount) * (byteUnits[(unit ?? 'b').toLowerCase()] ?? NaN))
      if (!(value >= 1) || !Number.isSafeInteger(value)) throw new Error(`${JSON.stringify(raw)} is not a size`)
      return value
    },
  }
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const durationUnits = new Map(Object.entries({ ms: 1, s: second, sec: second, second, m: minute, min: minute, minute, h: hour, hour, d: day, day }))

export function duration (): Kind<number> {
  return {
    allowed: 'a time such as 500ms, 30s, 1 minute, 12h or 7d',
    parse: raw => {
      const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]+?)(?:(?<=[a-z]{3})s)?$/i.exec(raw.trim()) ?? []
      const value = Number(amount) * (durationUnits.get((unit ?? '').toLowerCase()) ?? NaN)
      if (!(value >= 1) || value > Number.MAX_SAFE_INTEGER) throw new Error(`${JSON.stringify(raw)} is not a time`)
      return Math.round(value)
    },
  }
}

/** What a browser's Origin field can equal; `*` alone means any. */
export function origins (): Kind<string> {
  return {
    allowed: 'origins such as https://app.example.com with commas, or *',
    parse: raw => {
      if (raw.trim() === '*') return '*'
      const list = raw.split(',').map(origin => origin.trim())
      const wrong = list.find(origin => !URL.canParse(origin) || new URL(origin).origin !== origin)
      if (wrong !== undefined) throw new Error(`${JSON.stringify(wrong)} is not an origin`)
      return list.join(',')
    },
  }
}

/** What Fastify's trustProxy takes; never `true`, which would let any caller choose the address it is counted under. */
export function proxies (): Kind<false | number | string[]> {
  return {
    allowed: 'off, a number of hops from 1 to 32, or addresses and CIDRs with commas',
    parse: raw => {
      if (raw === 'off') return false
      if (/^\d+$/.test(raw)) return integer(1, 32).parse(raw)
      const list = raw.split(',').map(entry => entry.trim())
      for (const entry of list) {
        const [address = '', bits, ...rest] = entry.split('/')
        const family = isIP(address)
        const sound = family !== 0 && rest.length === 0 &&
          (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)))
        if (!sound) throw new Error(`${JSON.stringify(entry)} is neither an address nor a CIDR`)
      }
      return list
    },
  }
}

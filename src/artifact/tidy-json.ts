const maxLineLength = 120

/** JSON for people: what fits on a line stands on one. */
export function tidyJson (value: unknown): string {
  return `${write(value, '', 0)}\n`
}

/** @param taken what else stands on the line */
function write (value: unknown, indent: string, taken: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const line = oneLine(value)
  if (indent.length + taken + line.length < maxLineLength) return line
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    return `[\n${value.map(item => inner + write(item, inner, 1)).join(',\n')}\n${indent}]`
  }
  const members = entries(value).map(([key, item]) => {
    const name = `${JSON.stringify(key)}: `
    return inner + name + write(item, inner, name.length + 1)
  })
  return `{\n${members.join(',\n')}\n${indent}}`
}

function oneLine (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function entries (value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined)
}

/** Six decimals of every number inside: what is beyond is noise. */
export function rounded (value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toFixed(6))
  if (Array.isArray(value)) return value.map(rounded)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]))
  return value
}

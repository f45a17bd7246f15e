/** A reader of Prometheus text, written against the format's description and not against our writer. */
export interface Series { readonly name: string, readonly labels: Readonly<Record<string, string>>, readonly value: number }

export function parseSeries (text: string): Series[] {
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(parseLine)
}

/** The types of the families, by name, as the `# TYPE` lines say. */
export function parseTypes (text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name!, type!]))
}

/** The value of the one series that has this name and these labels; undefined when there is none. */
export function valueOf (text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const found = parseSeries(text).filter(series => series.name === name &&
    Object.entries(labels).every(([label, value]) => series.labels[label] === value))
  if (found.length > 1) throw new Error(`${found.length} series match ${name} ${JSON.stringify(labels)}`)
  return found[0]?.value
}

function parseLine (line: string): Series {
  const [, name, labels, value] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`Not a sample: ${line}`)
  return { name, labels: parseLabels(labels ?? ''), value: value === '+Inf' ? Infinity : Number(value) }
}

function parseLabels (text: string): Record<string, string> {
  const pattern = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy
  const labels: Record<string, string> = {}
  let end = 0
  for (const [whole, name, value] of text.matchAll(pattern)) {
    labels[name!] = value!.replaceAll(/\\(.)/g, (_, escaped: string) => escaped === 'n' ? '\n' : escaped)
    end += whole.length
  }
  if (end !== text.length) throw new Error(`Not labels: ${text}`)
  return labels
}

interface Refusal { readonly pattern: RegExp, readonly words: (...groups: string[]) => string }

/** What the runtime says of a graph that it cannot open, and what a person can do about it. */
const refusals: readonly Refusal[] = [
  {
    pattern: /Opset (\d+) is under development.*for domain (\S+) is till opset (\d+)/s,
    words: (opset, domain, most) => `it is made of version ${opset} of the operators of ${domain}, and the runtime knows them up to ${most}: export it with an opset of ${most} or lower`,
  },
  {
    pattern: /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    words: (version, most) => `it is written in version ${version} of the format, and the runtime reads up to ${most}: export it with an older onnx package, or set model.ir_version = ${most}`,
  },
  {
    pattern: /No Op registered for (\S+) with domain_version of (\d+)/,
    words: (op, version) => `it has the operator ${op}, which version ${version} of its domain does not have: export it with an opset that does, without operators of one's own`,
  },
  {
    pattern: /No opset import for domain '([^']*)'/,
    words: domain => `it has operators of the domain ${domain}, of which it imports no version: ${custom}`,
  },
  {
    pattern: /(\S+)\(-?\d+\) is not a registered function\/op/,
    words: op => `it has the operator ${op}, which the runtime lacks: ${custom}`,
  },
  {
    pattern: /Could not find an implementation for (\S+)\((\d+)\)/,
    words: (op, version) => `the runtime has no ${op} (version ${version}) for these types on a CPU: export the model with float32, or with another opset`,
  },
  {
    pattern: /MLDataType for: tensor\((\w+)\)|Unsupported data type: (\d+)/,
    words: (type, code) => `it has values of the type ${type || `number ${code}`}, which cannot be served: export it with float32`,
  },
  {
    pattern: /Failed to construct locale with name:\s*(\S+?):?(\s|$)/,
    words: locale => `it works on text and needs the locale ${locale}, which this machine does not have: install it`,
  },
]

const custom = 'export the model with standard operators only, or do that step before the request'

/** Says in one line, with a remedy, why the runtime did not open a graph. */
export function refusalOf (error: unknown): string {
  const texts = messages(error)
  for (const { pattern, words } of refusals) {
    const found = texts.map(text => pattern.exec(text)).find(match => match !== null)
    if (found) return words(...found.slice(1).map(group => group ?? ''))
  }
  const [line = ''] = (texts.at(-1) ?? '').split('\n')
  // The place in the runtime's own source says nothing to anybody else.
  return `the runtime cannot run it: ${line.replace(/^.*?onnxruntime::.*?\)\s+(?=\S)/, '').slice(0, 300)}`
}

/** What was caught was often shortened on its way. */
function messages (error: unknown): string[] {
  return error instanceof Error ? [error.message, ...messages(error.cause)] : []
}

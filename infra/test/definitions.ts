import type { Json } from './states.ts'

/**
 * A definition as a state machine gets it, out of a synthesised template. What belongs to another stack, or has no name before it is deployed,
 * gets the name that tells most: the bucket `raw`, the queue `…`.
 */
export function deployed (definition: unknown): { StartAt: string, States: Record<string, never> } {
  return resolve(definition) as { StartAt: string, States: Record<string, never> }
}

const buckets = ['raw', 'clean', 'models', 'predictions']

function resolve (node: unknown): Json {
  if (Array.isArray(node)) return node.map(resolve)
  if (node === null || typeof node !== 'object') return node as Json
  const [[name, value] = ['', undefined], second] = Object.entries(node)
  if (second === undefined) {
    switch (name) {
      case 'Fn::Join': {
        const [delimiter, items] = value as [string, unknown[]]
        return items.map(resolve).join(delimiter)
      }
      case 'Ref':
      case 'Fn::GetAtt':
      case 'Fn::GetStackOutput':
      case 'Fn::Select':
      case 'Fn::Split': return nameOf(JSON.stringify(value))
    }
  }
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, resolve(value)]))
}

function nameOf (reference: string): string {
  return buckets.find(bucket => new RegExp(`(Ref|GetAtt)${bucket}[0-9A-F]{8}`, 'i').test(reference)) ?? reference.replaceAll(/[^A-Za-z0-9-]/g, '')
}

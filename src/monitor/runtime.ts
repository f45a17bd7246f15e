import { Registry, collectDefaultMetrics } from 'prom-client'

let registry: Registry | undefined

/**
 * The runtime's own metrics: event-loop delay, heap, resident memory, CPU, garbage collection. One
 * registry per process, for that is what they measure, and its observers cannot be taken down again.
 */
export function runtimeMetrics (): Registry {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry
}

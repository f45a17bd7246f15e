import type { EnvironmentConfig, On } from '../config.ts'
import type { Load } from './load.ts'
import { assumed, cpuOf } from './measured.ts'

/** How many tasks a load needs, and which rule asked for them. */
export interface Sizing {
  readonly tasks: number
  readonly because: 'least' | 'cpu' | 'requests'
  /** vCPU time of one request, in microseconds. */
  readonly cpuMicrosecondsPerRequest: number
  /** The load needs more tasks than the service may have. */
  readonly exceedsMaximum: boolean
}

/** @param cpuMicroseconds of one request on a vCPU, where the caller has measured it */
export function sizeService (service: On<EnvironmentConfig['service']>, load: Load, cpuMicroseconds?: number): Sizing {
  const perRequest = cpuMicroseconds ?? cpuOf(load.rowsPerRequest) * assumed.cpuFactor
  const vcpusAtTarget = service.cpu / 1024 * service.cpuTargetPercent / 100
  const byCpu = Math.ceil(load.requestsPerSecond * perRequest / 1e6 / vcpusAtTarget)
  const byRequests = Math.ceil(load.requestsPerSecond * 60 / service.requestsPerTargetPerMinute)
  const tasks = Math.max(service.minTasks, byCpu, byRequests)
  return {
    tasks,
    because: tasks === service.minTasks ? 'least' : tasks === byCpu ? 'cpu' : 'requests',
    cpuMicrosecondsPerRequest: perRequest,
    exceedsMaximum: tasks > service.maxTasks,
  }
}

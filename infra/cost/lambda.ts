import type { EnvironmentConfig } from '../config.ts'
import type { Line, LineMaker } from './lines.ts'
import { type Load, requestsPerMonth } from './load.ts'
import { assumed, cpuOf } from './measured.ts'

/** A function has one vCPU at this size, and a share of it below. */
export const mibPerVcpu = 1769

/** Milliseconds that one warm request of one caller bills: whole ones, since AWS rounds up. */
function billedMs (memoryMiB: number, rowsPerRequest: number, cpuMicroseconds?: number): number {
  const cpuMs = (cpuMicroseconds ?? cpuOf(rowsPerRequest) * assumed.cpuFactor) / 1000
  return Math.ceil((cpuMs + assumed.lambdaOverheadMs) * Math.max(1, mibPerVcpu / memoryMiB))
}

export function lambdaLines (architecture: EnvironmentConfig['architecture'], memoryMiB: number, load: Load, line: LineMaker, cpuMicroseconds?: number): Line[] {
  const requests = requestsPerMonth(load)
  const ms = requests * (billedMs(memoryMiB, load.rowsPerRequest, cpuMicroseconds) + assumed.lambdaColdStartsPerMillion / 1e6 * assumed.lambdaColdStartMs)
  return [
    line('Lambda, requests', 'lambda.million', requests / 1e6),
    line('Lambda, time', `lambda.${architecture}.gb-second`, ms / 1000 * memoryMiB / 1024),
  ]
}

const GiB = 1024

const memoryGiBOfCpu: Record<number, { from: number, to: number, step: number }> = {
  512: { from: 1, to: 4, step: 1 },
  1024: { from: 2, to: 8, step: 1 },
  2048: { from: 4, to: 16, step: 1 },
  4096: { from: 8, to: 30, step: 1 },
  8192: { from: 16, to: 60, step: 4 },
  16384: { from: 32, to: 120, step: 8 },
}

/** Every amount of memory in MiB that Fargate allows beside that many CPU units (1024 are one vCPU); empty: no such size. */
export function memoryAllowed (cpu: number): number[] {
  if (cpu === 256) return [512, 1024, 2048]
  const range = memoryGiBOfCpu[cpu]
  if (range === undefined) return []
  const sizes: number[] = []
  for (let size = range.from; size <= range.to; size += range.step) sizes.push(size * GiB)
  return sizes
}

/** @throws Error that says which sizes Fargate has */
export function checkFargateSize (cpu: number, memoryMiB: number): void {
  const allowed = memoryAllowed(cpu)
  if (allowed.length === 0) throw new Error(`Fargate has no tasks of ${cpu} CPU units: choose one of 256, ${Object.keys(memoryGiBOfCpu).join(', ')}`)
  if (!allowed.includes(memoryMiB)) throw new Error(`Fargate has no tasks of ${cpu} CPU units with ${memoryMiB} MiB: memoryMiB must be one of ${allowed.join(', ')}`)
}

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

/** CPUs that cgroup v2's `cpu.max` allows ("150000 100000" is 1.5); undefined: as many as there are. */
export function quotaOfCpuMax (text: string): number | undefined {
  const [quota = '', period = ''] = text.trim().split(/\s+/)
  return quotaOf(quota, period)
}

/** The same from the two files of cgroup v1, `cpu.cfs_quota_us` (-1: no limit) and `cpu.cfs_period_us`. */
export function quotaOf (quotaUs: string, periodUs: string): number | undefined {
  const quota = Number(quotaUs) / Number(periodUs)
  return Number.isFinite(quota) && quota > 0 ? quota : undefined
}

/** A control group's folder and the version of the files in it. */
export interface CpuGroup { version: 1 | 2, folder: string }

/**
 * The folders whose limits hold for a process, from its own group up to the root: any of them may
 * set one. Inside a container the path may be the host's and absent here; the root is the container's.
 *
 * @param processGroups  the text of /proc/self/cgroup
 */
export function cpuGroups (processGroups: string): CpuGroup[] {
  return processGroups.split('\n').flatMap((line): CpuGroup[] => {
    const [id, controllers = '', path = ''] = line.split(':')
    if (id === '0') return ancestors(path).map(folder => ({ version: 2, folder: join('/sys/fs/cgroup', folder) }))
    if (!controllers.split(',').includes('cpu')) return []
    return ancestors(path).map(folder => ({ version: 1, folder: join('/sys/fs/cgroup', controllers, folder) }))
  })
}

function ancestors (path: string): string[] {
  const parts = path.split('/').filter(part => part !== '')
  return [...parts.keys(), parts.length].map(length => parts.slice(0, length).join('/')).reverse()
}

/** How many threads can work at once: the container's quota rounded down, at least 1, never more than the machine has. */
export function cpuCount (read: (file: string) => string | undefined = readIfThere): number {
  const quotas = cpuGroups(read('/proc/self/cgroup') ?? '').map(({ version, folder }) => version === 2
    ? quotaOfCpuMax(read(join(folder, 'cpu.max')) ?? '')
    : quotaOf(read(join(folder, 'cpu.cfs_quota_us')) ?? '', read(join(folder, 'cpu.cfs_period_us')) ?? ''))
  return Math.max(1, Math.floor(Math.min(availableParallelism(), ...quotas.filter(quota => quota !== undefined))))
}

function readIfThere (file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}

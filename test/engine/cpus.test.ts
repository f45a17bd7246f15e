import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { cpuCount, cpuGroups, quotaOf, quotaOfCpuMax } from '../../src/engine/cpus.ts'

test.each([
  ['max 100000\n', undefined],
  ['150000 100000\n', 1.5],
  ['50000 100000', 0.5],
  ['400000 50000', 8],
  ['', undefined],
  ['rubbish', undefined],
])('cpu.max %j allows %s CPUs', (text, cpus) => {
  expect(quotaOfCpuMax(text)).toBe(cpus)
})

test.each([
  ['-1', '100000', undefined],
  ['200000', '100000', 2],
  ['', '', undefined],
  ['100000', '0', undefined],
])('a cfs quota of %j in a period of %j allows %s CPUs', (quotaUs, periodUs, cpus) => {
  expect(quotaOf(quotaUs, periodUs)).toBe(cpus)
})

test('limits are looked for from the own group up to the root, in both versions', () => {
  expect(cpuGroups('4:cpu,cpuacct:/docker/abc\n3:memory:/docker/abc\n0::/system.slice/x.service\n')).toEqual([
    { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct/docker/abc' },
    { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct/docker' },
    { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct' },
    { version: 2, folder: '/sys/fs/cgroup/system.slice/x.service' },
    { version: 2, folder: '/sys/fs/cgroup/system.slice' },
    { version: 2, folder: '/sys/fs/cgroup' },
  ])
})

const v1 = '/sys/fs/cgroup/cpu'
test.each<[string, Record<string, string>, number]>([
  ['no control groups at all', {}, availableParallelism()],
  ['version 2 without a limit', { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': 'max 100000' }, availableParallelism()],
  ['version 2, half a CPU', { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '50000 100000' }, 1],
  ['version 2, more than the machine has', { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '99900000 100000' }, availableParallelism()],
  ['version 2, limited one level up', { '/proc/self/cgroup': '0::/a/b', '/sys/fs/cgroup/a/b/cpu.max': 'max 100000', '/sys/fs/cgroup/a/cpu.max': '100000 100000' }, 1],
  ['version 1, the path is the host\'s', { '/proc/self/cgroup': '2:cpu:/docker/abc\n0::/', [`${v1}/cpu.cfs_quota_us`]: '100000', [`${v1}/cpu.cfs_period_us`]: '100000' }, 1],
  ['version 1 without a limit', { '/proc/self/cgroup': '2:cpu:/', [`${v1}/cpu.cfs_quota_us`]: '-1', [`${v1}/cpu.cfs_period_us`]: '100000' }, availableParallelism()],
])('counts CPUs with %s', (_name, files, cpus) => {
  expect(cpuCount(file => files[file])).toBe(cpus)
})

test('counts at least one CPU here', () => {
  expect(cpuCount()).toBeGreaterThanOrEqual(1)
})

import type { EnvironmentConfig } from './config.ts'

/** The environments that can be deployed. Change these values to your own; `config.ts` says what is allowed. */
export const environments = {
  dev: {
    region: 'eu-central-1',
    imageTag: 'latest',
    architecture: 'arm64',
    network: { cidr: '10.20.0.0/20', availabilityZones: 2, egress: 'nat' },
    auth: { kind: 'secret' },
    rateLimit: { requestsPerMinute: 1000, shared: 'no' },
    service: {
      cpu: 512, memoryMiB: 1024, minTasks: 1, maxTasks: 2, cpuTargetPercent: 60, requestsPerTargetPerMinute: 60_000, schedule: [], deployment: 'rolling', spot: true,
    },
    waf: 'off',
    gateway: { requestsPerSecond: 200, burst: 400 },
    lambda: { memoryMiB: 1769, models: 's3' },
    batch: { runner: 'lambda', start: ['upload'], model: 'repeat-purchase', cron: '0 3 * * ? *', maxConcurrency: 10, toleratedFailurePercent: 0 },
    training: { modelName: 'repeat-purchase', targetDays: 90, gatherMinutes: 15, cpu: 2048, memoryMiB: 8192 },
    monitoring: { p99Ms: 200, drift: 0.25, logRetentionDays: 14, monthlyBudgetUsd: 100 },
  },
  staging: {
    region: 'eu-central-1',
    imageTag: 'latest',
    architecture: 'arm64',
    network: { cidr: '10.30.0.0/20', availabilityZones: 2, egress: 'endpoints' },
    auth: { kind: 'secret' },
    rateLimit: { requestsPerMinute: 1000, shared: 'valkey' },
    service: {
      cpu: 2048, memoryMiB: 4096, minTasks: 2, maxTasks: 4, cpuTargetPercent: 60, requestsPerTargetPerMinute: 120_000, schedule: [], deployment: 'canary', spot: false,
    },
    waf: { requestsPerFiveMinutesPerAddress: 100_000 },
    gateway: { requestsPerSecond: 1000, burst: 2000 },
    lambda: 'off',
    batch: { runner: 'fargate', start: ['upload'], model: 'repeat-purchase', cron: '0 3 * * ? *', maxConcurrency: 20, toleratedFailurePercent: 1 },
    training: { modelName: 'repeat-purchase', targetDays: 90, gatherMinutes: 15, cpu: 4096, memoryMiB: 16384 },
    monitoring: { p99Ms: 100, drift: 0.25, logRetentionDays: 30, monthlyBudgetUsd: 400 },
  },
  production: {
    region: 'eu-central-1',
    imageTag: 'latest',
    architecture: 'arm64',
    network: { cidr: '10.40.0.0/18', availabilityZones: 3, egress: 'endpoints' },
    auth: { kind: 'secret' },
    rateLimit: { requestsPerMinute: 1000, shared: 'valkey' },
    service: {
      cpu: 2048, memoryMiB: 4096, minTasks: 3, maxTasks: 30, cpuTargetPercent: 55, requestsPerTargetPerMinute: 120_000, schedule: [], deployment: 'canary', spot: false,
    },
    waf: { requestsPerFiveMinutesPerAddress: 100_000 },
    gateway: { requestsPerSecond: 5000, burst: 10_000 },
    lambda: 'off',
    batch: { runner: 'fargate', start: ['schedule', 'upload'], model: 'repeat-purchase', cron: '0 3 * * ? *', maxConcurrency: 100, toleratedFailurePercent: 1 },
    training: { modelName: 'repeat-purchase', targetDays: 90, gatherMinutes: 15, cpu: 4096, memoryMiB: 16384 },
    monitoring: { p99Ms: 50, drift: 0.25, logRetentionDays: 365, monthlyBudgetUsd: 2000 },
  },
} satisfies Record<string, EnvironmentConfig>

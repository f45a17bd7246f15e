import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/build.ts'],
    include: ['test/**/*.test.ts'],
    // Much of a test is waiting for another process: on two CPUs, one worker leaves one of them idle.
    // Modules are loaded once a worker, which halves the suite's CPU time: no test may leave anything in them.
    isolate: false,
    maxWorkers: Math.max(2, availableParallelism()),
    // Two slow-starting suites in parallel on a small machine take their time; a hang is still found.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**'] },
  },
})

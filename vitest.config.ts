import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/build.ts'],
    include: ['test/**/*.test.ts'],
    // Two slow-starting suites in parallel on a small machine take their time; a hang is still found.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**'] },
  },
})

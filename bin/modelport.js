#!/usr/bin/env node
import { existsSync } from 'node:fs'

// The inference runtime reads this once, when it loads.
process.env.ORT_DISABLE_TELEMETRY = '1'

const commands = new URL('../dist/cli.js', import.meta.url)
if (existsSync(commands)) {
  await import(commands.href)
} else {
  console.error('modelport is not built: run `npm run build` first.')
  process.exitCode = 1
}

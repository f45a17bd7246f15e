import { spawnSync } from 'node:child_process'

/** Builds once before the suite: the tests under e2e/ run what users run. */
export default function setup (): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.js'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed:\n${stderr}`)
}

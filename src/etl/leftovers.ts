import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Of another machine it cannot be seen whether the process still runs: what it has not touched for so long is nobody's. */
const abandonedAfterMs = 24 * 3_600_000

/** Containers have the same process numbers as each other. */
const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** How a name begins of what this process will have removed or renamed by its end. */
export function temporaryPrefix (): string {
  return `.modelport-etl-${host}-${process.pid}-`
}

export function temporaryName (name: string): string {
  return `${temporaryPrefix()}${randomBytes(6).toString('hex')}-${name}`
}

/** Removes from a folder what processes that were killed have left. What cannot be removed stays: the next one tries again. */
export async function removeLeftovers (folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, writer, pid] = /^\.modelport-etl-([0-9a-f]{8})-(\d+)-/.exec(name) ?? []
    if (pid === undefined || !await isAbandoned(join(folder, name), writer === host, Number(pid))) continue
    await rm(join(folder, name), { recursive: true, force: true }).catch(() => {})
  }
}

async function isAbandoned (path: string, isOurHost: boolean, pid: number): Promise<boolean> {
  if (isOurHost) return pid !== process.pid && !isRunning(pid)
  const info = await stat(path).catch(() => undefined)
  return info !== undefined && Date.now() - info.mtimeMs > abandonedAfterMs
}

function isRunning (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

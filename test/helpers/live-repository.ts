import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type TestApp, startApp } from './app.ts'
import { type Files, repository, writeFiles } from './models.ts'

export interface LiveRepository {
  readonly server: TestApp
  /** Writes files over those that are there. */
  put: (place: string, files: Files | string) => Promise<void>
  remove: (place: string) => Promise<void>
  load: (model: string) => ReturnType<TestApp['post']>
  unload: (model: string) => ReturnType<TestApp['post']>
  /** `name version state reason` of every row of the index. */
  index: () => Promise<string[]>
}

/** The service over a repository that changes while it runs, until the test ends. */
export async function liveRepository (contents: Parameters<typeof repository>[0], env: Record<string, string> = {}): Promise<LiveRepository> {
  const models = await repository(contents)
  onTestFinished(models.remove)
  const server = await startApp({}, { MODELS_DIR: models.path, ...env })
  onTestFinished(() => server.close())
  return {
    server,
    put: (place, files) => writeFiles(join(models.path, place), files),
    remove: async place => { await rm(join(models.path, place), { recursive: true }) },
    load: model => server.post(`/v2/repository/models/${model}/load`, ''),
    unload: model => server.post(`/v2/repository/models/${model}/unload`, ''),
    index: async () => {
      const { body } = await server.post('/v2/repository/index', {})
      return (body as { name: string, version: string, state: string, reason: string }[]).map(({ name, version, state, reason }) => [name, version, state, reason].join(' ').trim())
    },
  }
}

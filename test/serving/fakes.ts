import { ArtifactError } from '../../src/artifact/artifact-error.ts'
import { sortVersions } from '../../src/artifact/names.ts'
import type { ModelStore } from '../../src/artifact/store.ts'
import type { Engine, EngineHost } from '../../src/engine/engine.ts'
import { ApiError } from '../../src/errors.ts'
import type { RegistryEvents } from '../../src/serving/status.ts'

/** Models by name, their versions by name; a version is one file, `model.onnx`, whose text the engine answers. */
export type Shelves = Record<string, { aliases?: string, versions: Record<string, string> }>

export type Pause = () => Promise<void>

const noPause: Pause = async () => {}

/** A repository in memory. Every look into it waits for `pause`. */
export function fakeStore (shelves: Shelves, pause: Pause = noPause): ModelStore {
  const entry = (name: string) => ({ name, versions: sortVersions(Object.keys(shelves[name]?.versions ?? {})) })
  return {
    list: async () => ({ models: Object.keys(shelves).sort().map(entry), defaultModel: undefined, ignored: [] }),
    model: async name => {
      await pause()
      return shelves[name] === undefined ? undefined : entry(name)
    },
    version: (name, version) => ({
      name,
      version,
      list: async () => ['model.onnx'],
      read: async () => {
        await pause()
        const text = shelves[name]?.versions[version]
        if (text === undefined) throw new ArtifactError('MISSING_FILE', 'model.onnx is missing')
        return new TextEncoder().encode(text)
      },
    }),
    aliases: async name => {
      const { aliases } = shelves[name] ?? {}
      return aliases === undefined ? undefined : new TextEncoder().encode(aliases)
    },
  }
}

export interface FakeHost extends EngineHost {
  /** What is open now, one text for each engine. */
  readonly opened: () => string[]
}

/** Engines that answer the text of their file. Opening `broken` fails, and `large` where there is no memory. */
export function fakeHost ({ pause = noPause, memory = true }: { pause?: Pause, memory?: boolean } = {}): FakeHost {
  const engines = new Map<Engine, string>()
  return {
    opened: () => [...engines.values()],
    open: async bytes => {
      const text = new TextDecoder().decode(bytes)
      await pause()
      if (text.startsWith('broken')) throw new Error('it is broken')
      if (text.startsWith('large') && !memory) throw new Error('there is no memory left')
      const engine = fakeEngine(text, pause, () => engines.delete(engine))
      engines.set(engine, text)
      return engine
    },
    close: async () => { await Promise.all([...engines.keys()].map(engine => engine.close())) },
  }
}

function fakeEngine (text: string, pause: Pause, freed: () => void): Engine {
  const running = new Set<Promise<void>>()
  let closed = false
  let runs = 0
  return {
    inputs: [],
    outputs: [],
    columns: undefined,
    placement: { mode: 'inline', inlineRows: 1, gathers: false, oneRowMs: 1, perRowMs: 1 },
    run: async () => {
      if (closed) throw new ApiError('MODEL_NOT_READY', 'The engine is closed.')
      runs++
      const run = pause()
      running.add(run)
      await run
      running.delete(run)
      return { outputs: { text: { type: 'string', shape: [1], data: [text] } }, queueMs: 0, runMs: 0 }
    },
    queuedRows: () => 0,
    executions: () => runs,
    close: async () => {
      closed = true
      await Promise.all(running)
      freed()
    },
  }
}

/** What is told, one text each. */
export function noteEvents (): { events: RegistryEvents, told: string[] } {
  const told: string[] = []
  return {
    told,
    events: {
      loaded: ({ manifest }) => { told.push(`${manifest.name} ${manifest.version} loaded`) },
      kept: ({ manifest }) => { told.push(`${manifest.name} ${manifest.version} kept`) },
      unloaded: ({ name }, version) => { told.push(`${name} ${version} unloaded`) },
      failed: ({ name }, version, error) => { told.push(`${name} ${version ?? '-'} failed: ${error.message}`) },
      ignored: () => {},
      unreadable: error => { told.push(`unreadable: ${error.message}`) },
    },
  }
}

/** What a model's version answers. */
export async function textOf (engine: Engine): Promise<string> {
  const { outputs } = await engine.run({ inputs: {}, rows: 1 })
  return (outputs['text']?.data as string[])[0] ?? ''
}

import type { Manifest } from '../artifact/manifest.ts'
import { ApiError } from '../errors.ts'
import type { ModelStatus, VersionState } from './status.ts'

/** A version in a list: where it stands, and why it does not serve. */
export interface VersionSummary { readonly version: string, readonly state: VersionState['state'], readonly reason?: string, readonly detail?: string }

export interface ModelSummary {
  readonly name: string
  readonly default: boolean
  /** The version that answers, null while none can. */
  readonly serving: string | null
  readonly description?: string
  readonly task?: Manifest['task']
  readonly aliases: ModelStatus['aliases']
  readonly fault?: { readonly reason: string, readonly message: string }
  readonly versions: readonly VersionSummary[]
}

export interface VersionDetail extends VersionSummary {
  readonly name: string
  readonly load_ms?: number
  readonly placement?: unknown
  readonly inputs?: readonly unknown[]
  readonly outputs?: readonly unknown[]
  readonly notes?: readonly string[]
  readonly manifest?: Manifest
}

export function summarizeModel (status: ModelStatus): ModelSummary {
  const serving = status.serving === undefined ? undefined : status.versions.get(status.serving)
  const manifest = serving?.state === 'ready' ? serving.model.manifest : undefined
  return {
    name: status.name,
    default: status.isDefault,
    serving: status.serving ?? null,
    ...(manifest?.description === undefined ? {} : { description: manifest.description }),
    ...(manifest === undefined ? {} : { task: manifest.task }),
    aliases: status.aliases,
    ...(status.fault === undefined ? {} : { fault: status.fault }),
    versions: [...status.versions].map(([version, state]) => summarizeVersion(version, state)),
  }
}

/** @throws ApiError VERSION_NOT_FOUND */
export function describeVersion (status: ModelStatus, version: string): VersionDetail {
  const state = status.versions.get(version)
  if (state === undefined) throw versionNotFound(status, version)
  const summary = { name: status.name, ...summarizeVersion(version, state) }
  if (state.state !== 'ready') return summary
  const { manifest, engine, artifact, loadMs } = state.model
  return {
    ...summary,
    load_ms: Math.round(loadMs * 10) / 10,
    placement: engine.placement,
    inputs: engine.inputs,
    outputs: engine.outputs,
    notes: artifact.notes,
    manifest,
  }
}

function summarizeVersion (version: string, state: VersionState): VersionSummary {
  return state.state === 'failed' ? { version, state: state.state, reason: state.reason, detail: state.message } : { version, state: state.state }
}

export function versionNotFound ({ name, versions }: ModelStatus, version: string): ApiError {
  return new ApiError('VERSION_NOT_FOUND', `The model ${name} has no version "${shortened(version)}"; it has ${[...versions.keys()].join(', ') || 'none'}.`)
}

/** A caller's text in a message: no longer than a name may be. */
export function shortened (text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text
}

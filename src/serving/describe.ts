import { aliasTarget } from '../artifact/aliases.ts'
import type { Manifest } from '../artifact/manifest.ts'
import { ApiError } from '../errors.ts'
import { failureIn } from './entry.ts'
import type { Failure, ModelStatus, VersionState } from './status.ts'

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
  const failure = failureIn(state)
  return failure === undefined ? { version, state: state.state } : { version, state: state.state, reason: failure.reason, detail: failure.message }
}

export function versionNotFound ({ name, versions }: ModelStatus, version: string): ApiError {
  return new ApiError('VERSION_NOT_FOUND', `The model ${name} has no version "${shortened(version)}"; it has ${[...versions.keys()].join(', ') || 'none'}.`)
}

export function aliasNotFound ({ name, aliases }: ModelStatus, alias: string): ApiError {
  return new ApiError('VERSION_NOT_FOUND', `The model ${name} has no alias "${shortened(alias)}"; it has ${Object.keys(aliases).join(', ') || 'none'}.`)
}

/**
 * Why a version cannot answer.
 *
 * @param asked undefined: the one that answers for the name was meant
 */
export function whyNot (status: ModelStatus, asked: string | undefined): ApiError {
  const { name, aliases, versions, fault, unloaded } = status
  const wanted = asked ?? aliasTarget(aliases, 'production') ?? [...versions.keys()].at(-1)
  if (wanted === undefined) return notReady(name, fault, unloaded)
  const found = versions.get(wanted)
  if (found === undefined && asked !== undefined) return versionNotFound(status, asked)
  const failure = asked === undefined && fault !== undefined ? fault : found && failureIn(found)
  return notReady(`${name} ${wanted}`, failure, unloaded)
}

/** @param what the model, and the version if it is known */
export function notReady (what: string, failure?: Failure, unloaded = false): ApiError {
  const [why, afterSeconds] = unloaded ? ['it was unloaded', 30] : failure === undefined ? ['it is still loading', 1] : [`it did not pass its checks (${failure.reason})`, 30]
  return new ApiError('MODEL_NOT_READY', `${what} cannot answer: ${why}.`, { headers: { 'retry-after': `${afterSeconds}` } })
}

/** A caller's text in a message: no longer than a name may be. */
export function shortened (text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text
}

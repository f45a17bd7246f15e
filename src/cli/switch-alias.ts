import type { AliasBook, Overtaken } from '../artifact/change-alias.ts'
import type { Change } from '../artifact/history.ts'
import { isS3Uri } from '../artifact/s3-uri.ts'
import type { ModelStore } from '../artifact/store.ts'
import { createEngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { verifyVersion } from '../serving/verify.ts'
import type { Author } from './repository-flags.ts'
import type { Terminal } from './verb.ts'
import { countFaults, versionLines } from './verify-report.ts'

/**
 * Loads a version as the server does, and tells every fault.
 *
 * @throws FatalError when there is any
 */
export async function mustVerify (store: ModelStore, name: string, version: string, { err }: Terminal, hasForce = true): Promise<void> {
  const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { err(message) } } })
  try {
    const report = await verifyVersion(store.version(name, version), host)
    if (countFaults({ models: [], versions: [report] }) === 0) return
    versionLines(report).forEach(err)
  } finally {
    await host.close()
  }
  throw new FatalError(`${name} ${version} cannot be served: nothing is changed${hasForce ? ', and --force does not help here' : ''}`)
}

interface Switch {
  readonly book: AliasBook
  readonly name: string
  readonly alias: string
  readonly from: string | undefined
  readonly to: string
  readonly action: Change['action']
  readonly author: Author
}

export async function switchAlias ({ book, name, alias, from, to, action, author: { who, why, tool } }: Switch): Promise<Change | Overtaken> {
  return await book.change(name, { who, action, alias, from: from ?? null, to, why, tool })
}

/** What has changed, and what a server that runs already has to be told. */
export function printSwitch (models: string, name: string, { alias, from, to }: Change, { out }: Terminal): void {
  out(`${name}: ${alias} is now ${to}${from === null ? '; there was none before' : `, it was ${from}`}`)
  if (isS3Uri(models)) out('Servers that watch the bucket follow within MODELS_POLL_SECONDS (30, unless set); others when they load the model again, or start.')
  else out(`A server that runs goes on as before until it loads ${name} again: POST /v2/repository/models/${name}/load (scope admin), or a restart.`)
}

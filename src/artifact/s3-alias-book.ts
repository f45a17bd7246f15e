import { setTimeout as delay } from 'node:timers/promises'
import { FatalError } from '../errors.ts'
import { type Aliases, aliasTarget, parseAliases } from './aliases.ts'
import type { Bucket, PutOptions } from './bucket.ts'
import { type AliasBook, type Overtaken, pointed } from './change-alias.ts'
import { type Change, ChangeSchema, parseHistory } from './history.ts'
import { parseJson } from './json.ts'
import { S3Error } from './s3-error.ts'
import { readListing } from './s3-listing.ts'
import { openBucket } from './s3.ts'
import { tidyJson } from './tidy-json.ts'

/** Each one lost to another who changed the same object meanwhile. */
const maxAttempts = 20
const pauseMs = 100
/** S3 takes 2 KB beside an object, names included. */
const maxMetadataBytes = 1900

/**
 * Aliases in S3. The alias and the change that made it are put in one request, the change as metadata of
 * aliases.json: a process that dies before it has written the history leaves behind what belongs there,
 * and the next one writes it. Conditions (If-Match) keep two from overwriting each other.
 */
export function s3AliasBook (uri: string): AliasBook {
  let opened: Promise<Bucket> | undefined
  const open = async (): Promise<Bucket> => await (opened ??= openBucket(uri))
  return {
    mend: async name => {
      const bucket = await open()
      await mend(bucket, name, (await readState(bucket, name)).change)
    },
    aliases: async name => (await readState(await open(), name)).aliases,
    history: async name => {
      const bucket = await open()
      const key = `${name}/history.jsonl`
      return parseHistory((await bucket.getText(key))?.text ?? '', bucket.uriOf(key))
    },
    change: async (name, change) => await changeIn(await open(), name, { at: new Date().toISOString(), ...change }),
  }
}

interface State {
  readonly etag: string | undefined
  readonly aliases: Aliases
  /** What made it so; undefined where another tool has written the file. */
  readonly change: Change | undefined
}

async function changeIn (bucket: Bucket, name: string, change: Change): Promise<Change | Overtaken> {
  const { alias, from, to } = change
  const metadata = { change: Buffer.from(JSON.stringify(change)).toString('base64url') }
  if (metadata.change.length > maxMetadataBytes) throw new FatalError('--why and --who are too long: S3 has room for about a thousand characters')
  await mustBeThere(bucket, name, to)
  const done = await retried(async () => {
    const state = await readState(bucket, name)
    await mend(bucket, name, state.change)
    const current = aliasTarget(state.aliases, alias)
    // An attempt whose answer was lost.
    if (JSON.stringify(state.change) === JSON.stringify(change)) return change
    if ((current ?? null) !== from) return { overtakenBy: current }
    await bucket.putText(`${name}/aliases.json`, tidyJson(pointed(state.aliases, alias, to)), { ...unchanged(state.etag), contentType: 'application/json', metadata })
    return change
  }, () => new FatalError(`${bucket.uriOf(`${name}/aliases.json`)}: others change it all the time: nothing is changed, try again`))
  if (!('overtakenBy' in done)) await mend(bucket, name, done)
  return done
}

async function mustBeThere (bucket: Bucket, name: string, version: string): Promise<void> {
  const { models } = await readListing(bucket.list(`${name}/${version}/`))
  if (models.get(name)?.versions.has(version) !== true) throw new FatalError(`version ${version} is no longer there`)
}

async function readState (bucket: Bucket, name: string): Promise<State> {
  const key = `${name}/aliases.json`
  const read = await bucket.getText(key)
  try {
    return { etag: read?.etag, aliases: parseAliases(read && Buffer.from(read.text)), change: read && changeOf(read.metadata) }
  } catch (error) {
    throw new FatalError(`${bucket.uriOf(key)}: ${(error as Error).message}: mend the file first`, { cause: error })
  }
}

function changeOf ({ change }: Readonly<Record<string, string>>): Change | undefined {
  if (change === undefined) return undefined
  try {
    return parseJson(ChangeSchema, Buffer.from(change, 'base64url'))
  } catch {
    // Somebody else's metadata of the same name.
    return undefined
  }
}

/** Writes a change into the history, unless it is there. */
async function mend (bucket: Bucket, name: string, change: Change | undefined): Promise<void> {
  if (change === undefined) return
  const key = `${name}/history.jsonl`
  const line = JSON.stringify(change)
  await retried(async () => {
    const read = await bucket.getText(key)
    const text = read?.text ?? ''
    if (text.split('\n').includes(line)) return
    const gap = text === '' || text.endsWith('\n') ? '' : '\n'
    await bucket.putText(key, `${text}${gap}${line}\n`, { ...unchanged(read?.etag), contentType: 'application/jsonl' })
  }, () => new FatalError(`${bucket.uriOf(key)}: others change it all the time: ${change.alias} is ${change.to}, and the next command will write that into the history`))
}

function unchanged (etag: string | undefined): PutOptions {
  return etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag }
}

/** Once more, from the start, whenever somebody else was faster. */
async function retried<T> (attempt: () => Promise<T>, givenUp: () => Error): Promise<T> {
  for (let count = 1; count <= maxAttempts; count++) {
    try {
      return await attempt()
    } catch (error) {
      // With If-Match, S3 says "not found" of an object that somebody has removed meanwhile.
      if (!(error instanceof S3Error) || !['CHANGED', 'NOT_FOUND'].includes(error.code)) throw error
    }
    await delay(pauseMs * Math.min(count, 5) * Math.random())
  }
  throw givenUp()
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Misuse, Refusal, verbOf } from '../cli/program.ts'
import { type Command, Shell } from '../cli/shell.ts'

const help = `
Usage: npm --prefix infra run empty-bucket -- BUCKET --region REGION [--delete]

Deletes every version of every object in a bucket, for good, without asking: \`npm run destroy -- --with-data\` asks and then calls this.

  --region REGION  where the bucket is
  --delete         the bucket itself too

Example:
  npm --prefix infra run empty-bucket -- my-bucket --region eu-central-1
`

const options = { region: { type: 'string' }, delete: { type: 'boolean', default: false } } as const

export const verb = verbOf(help, options, async ({ values: { region, delete: andBucket }, positionals }, terminal) => {
  const [bucket] = positionals
  if (bucket === undefined || positionals.length > 1) throw new Misuse('Which bucket? One name')
  if (region === undefined) throw new Misuse('Where is it? --region REGION')
  const shell = new Shell(terminal, { isDryRun: false })
  const s3api = (operation: string, ...args: string[]): Command => ['aws', 's3api', operation, '--region', region, '--bucket', bucket, ...args]
  if (!(await shell.succeeds(s3api('head-bucket')))) {
    shell.say(`${bucket} is not there, or not yours: nothing to delete.`)
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'modelport-'))
  try {
    const file = join(folder, 'objects.json')
    for (let deleted = 0; ;) {
      const objects = versionsOf(await shell.read('OBJECTS', s3api('list-object-versions', '--max-items', '1000', '--output', 'json'), `${bucket} cannot be listed.`))
      if (objects.length === 0) break
      writeFileSync(file, JSON.stringify({ Objects: objects, Quiet: true }))
      const answer = await shell.read('ERRORS', s3api('delete-objects', '--delete', `file://${file}`, '--query', 'Errors', '--output', 'json'), `Objects of ${bucket} cannot be deleted.`)
      if (answer !== '' && answer !== 'null') throw new Refusal(`Objects of ${bucket} cannot be deleted: ${answer}`)
      deleted += objects.length
      shell.say(`${bucket}: ${deleted} object versions deleted`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  if (andBucket) await shell.run(s3api('delete-bucket'))
})

interface Listing {
  readonly Versions?: readonly ObjectVersion[] | null
  readonly DeleteMarkers?: readonly ObjectVersion[] | null
}

interface ObjectVersion {
  readonly Key: string
  readonly VersionId: string
}

/** At most 1,000, which is what one deletion takes. */
function versionsOf (listing: string): ObjectVersion[] {
  if (listing === '') return []
  const { Versions, DeleteMarkers } = JSON.parse(listing) as Listing
  return [...Versions ?? [], ...DeleteMarkers ?? []].slice(0, 1000).map(({ Key, VersionId }) => ({ Key, VersionId }))
}

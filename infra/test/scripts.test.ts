import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { environments } from '../environments.ts'
import { call, callsOnce, folder, launcher, putStubs, removeStubs, start, type World } from './deployer.ts'

beforeAll(putStubs)
afterAll(removeStubs)

describe('a dry run prints a script that calls what the run calls, in the same order', () => {
  test.each<[string, string[], World]>([
    ['deploy', ['--yes'], { env: { THERE: '1' } }],
    ['deploy', ['--yes', '--environment', 'production'], { env: { THERE: '0' } }],
    ['deploy', ['--environment', 'staging'], { env: { THERE: '0' }, input: 'yes\n' }],
    ['deploy:image', ['--tag', 'candidate'], {}],
    ['upload-model', ['iris@1.0.0', 'mpg@1.0.0', '--environment', 'staging'], {}],
    ['upload-model', ['iris@1.0.0', '--alias', 'production'], {}],
    ['diff', ['--environment', 'production'], {}],
    ['smoke:batch', ['iris@1.0.0', '--rows', '3'], { env: { COMPLETE: '{"complete":true,"predicted":3,"rejected":0}' } }],
    ['destroy', [], { input: 'dev\n' }],
    ['destroy', ['--with-data', '--unprotect', '--environment', 'production'], { input: 'production\n' }],
  ])('%s %j', async (name, args, options) => {
    const real = await call(name, args, options)
    expect(real).toMatchObject({ code: 0, stderr: '' })
    const called = callsOnce()
    expect(called.length).toBeGreaterThan(0)

    const dry = await call(name, [...args, '--dry-run'])
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(callsOnce()).toEqual([])

    expect(await start('/bin/sh', ['-c', dry.stdout], options)).toMatchObject({ code: 0 })
    expect(callsOnce()).toEqual(called)
  })
})

describe('deploy', () => {
  test('makes the data stack, then image and models where there are none, then the rest', async () => {
    await call('deploy', ['--yes'], { env: { THERE: '1' } })
    const steps = callsOnce().filter(call => /cdk deploy|docker push|publish/.test(call))
    expect(steps[0]).toBe('npx --no-install cdk deploy Data --app cdk.out/dev --require-approval never')
    expect(steps.slice(1, 3)).toEqual(['latest', 'latest-pipeline'].map(tag => `docker push 123456789012.dkr.ecr.eu-central-1.amazonaws.com/modelport-dev:${tag}`))
    expect(steps.slice(3, -1)).toEqual(['iris@1.0.0', 'mpg@1.0.0', 'penguins@1.0.0'].map(model => expect.stringContaining(` publish ${model} --to s3://ModelsBucket-of-the-stack/models `) as string))
    expect(steps.at(-1)).toBe('npx --no-install cdk deploy --all --app cdk.out/dev --require-approval never')
  })

  test('takes no warning for an answer: what is deployed is synthesised once, strictly', async () => {
    await call('deploy', ['--yes'])
    expect(callsOnce().filter(call => call.includes('cdk synth'))).toEqual(['npx --no-install cdk synth --strict --quiet --context environment=dev --output cdk.out/dev'])
  })

  test('leaves an image and models alone that are there', async () => {
    await call('deploy', ['--yes'])
    expect(callsOnce().filter(call => /docker|publish/.test(call))).toEqual([])
  })

  test('says what it costs before it asks, and does nothing without a yes', async () => {
    const { code, stdout, stderr } = await call('deploy', ['--environment', 'production'], { input: 'no\n' })
    expect(stdout).toMatch(/^production in eu-central-1 costs about \d+ USD a month at rest/)
    expect(stdout).toMatch(/Deploy production to eu-central-1\?/)
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'Nothing was done.\n' })
    expect(callsOnce()).toEqual([])
  })

  test('hands a password to docker by stdin, never as an argument', async () => {
    const { stdout } = await call('deploy:image', [])
    expect(callsOnce().join('\n') + stdout).not.toContain('secret-password')
    expect(stdout).toContain('sha256:00ff')
  })

  test.each<[string, Record<string, string>, RegExp]>([
    ['nobody is signed in', { SIGNED_OUT: '1' }, /AWS does not know you: sign in with `aws sso login`.*\nUnable to locate credentials/],
    ['the account is not prepared', { BOOTSTRAPPED: '254' }, /not prepared for CDK in eu-central-1. Once: cd infra && npx cdk bootstrap aws:\/\/123456789012\/eu-central-1/],
    ['there is no image and Docker does not run', { THERE: '1', DOCKER: '1' }, /Docker does not answer: start it, or run `npm run deploy:image` on a machine where it runs/],
    ['there is no AWS command line', { PATH: '/nowhere' }, /There is no program aws on the PATH: install the AWS CLI/],
  ])('refuses where %s, in one line', async (_, env, message) => {
    const { code, stderr } = await call('deploy', ['--yes'], { env })
    callsOnce()
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
  })
})

describe('destroy', () => {
  test.each([
    ['the wrong name is typed', [], 'production\n', 'Nothing was done.\n'],
    ['nobody answers', [], '', 'Nobody answered. Nothing was done.\n'],
    ['production is not unprotected', ['--environment', 'production'], 'production\n', 'production is protected against deletion: say --unprotect as well, if that is what you mean.\n'],
  ])('does nothing when %s', async (_, args, input, stderr) => {
    expect(await call('destroy', args, { input })).toMatchObject({ code: 1, stderr })
    expect(callsOnce()).toEqual([])
  })

  test('keeps the stack with the buckets unless it is told', async () => {
    await call('destroy', [], { input: 'dev\n' })
    const kept = callsOnce()
    expect(kept).toEqual([expect.stringMatching(/^npx --no-install cdk destroy Network .* --force$/)])
    await call('destroy', ['--with-data'], { input: 'dev\n' })
    expect(callsOnce().filter(call => call.includes('empty-bucket'))).toEqual(['Raw', 'Clean', 'Models', 'Predictions', 'Logs'].map(name =>
      `npm run --silent empty-bucket -- ${name}Bucket-of-the-stack --region eu-central-1 --delete`))
  })
})

describe('empty-bucket', () => {
  test('deletes every version and every marker, then the bucket', async () => {
    expect(await call('empty-bucket', ['the-bucket', '--region', 'eu-central-1', '--delete'])).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(readFileSync(join(folder, 'deleted'), 'utf8'))).toEqual({ Objects: [{ Key: 'a b', VersionId: '1' }, { Key: 'c', VersionId: '2' }], Quiet: true })
    expect(callsOnce().map(line => line.split(' ')[2])).toEqual(['head-bucket', 'list-object-versions', 'delete-objects', 'list-object-versions', 'delete-bucket'])
  })

  test('has nothing to do where the bucket is gone already', async () => {
    expect(await call('empty-bucket', ['the-bucket', '--region', 'eu-central-1', '--delete'], { env: { THERE: '1' } })).toMatchObject({ code: 0, stderr: '' })
    expect(callsOnce()).toHaveLength(1)
  })
})

describe('smoke:batch', () => {
  test.each([
    ['{"complete":true,"predicted":2,"rejected":1}', /^Of 3 rows, 2 have a prediction and 1 were rejected\.\n$/],
    ['{"complete":false,"failed":[{"part":"00000","error":"no such model"}]}', /^Parts failed: 00000: no such model\n$/],
  ])('fails on the manifest %s', async (manifest, message) => {
    const { code, stderr } = await call('smoke:batch', ['iris@1.0.0', '--rows', '3'], { env: { MANIFEST: manifest } })
    callsOnce()
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
  })
})

describe('a call that cannot be meant ends with code 2 and says how it is done', () => {
  test.each<[string, string[], RegExp]>([
    ['deploy:image', ['--tag', `sha256:${'0'.repeat(64)}`], /--tag must be a name such as 1\.4\.0/],
    ['upload-model', [], /Which version\? NAME@VERSION/],
    ['smoke:batch', [], /Which version\?/],
    ['upload-model', ['iris'], /"iris" is not a model version/],
    ['upload-model', ['../x@1'], /is not a model version/],
    ['deploy', ['--enviroment', 'dev'], /Unknown option '--enviroment'/],
    ['smoke', [], /Which service\?/],
    ['smoke', ['localhost:8000', '--no-token'], /must begin with http/],
    ['smoke', ['http://localhost:8000'], /It needs a token/],
    ['cost', ['--requests-per-second', 'many'], /--requests-per-second must be a number from 0 to 1000000, not "many"/],
    ['cost', ['--hours', '731'], /--hours must be a number from 0 to 730/],
    ['empty-bucket', ['a'], /Where is it\?/],
  ])('%s %j', async (name, args, message) => {
    const { code, stderr } = await call(name, args)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

test('an environment that there is not is told with those that there are', async () => {
  const { code, stderr } = await call('diff', ['--environment', 'prod'])
  expect(code).toBe(1)
  expect(stderr).toBe(`There is no environment "prod": choose one of ${Object.keys(environments).join(', ')}\n`)
})

test.each(['cost', 'deploy', 'deploy:image', 'upload-model', 'smoke', 'smoke:batch', 'diff', 'destroy'])('%s --help shows an example', async name => {
  const { code, stdout } = await call(name, ['--help'])
  expect(code).toBe(0)
  expect(stdout).toMatch(new RegExp(`Example:\n  npm run ${name} -- `))
})

test.each(['fly', '../run', ''])('the verb %j is told that there is none', async name => {
  expect(await start(process.execPath, [launcher, name])).toMatchObject({ code: 2, stderr: expect.stringContaining(`There is no verb "${name}"`) as string })
})

test('the launcher hands on arguments and exit code', async () => {
  expect(await start(process.execPath, [launcher, 'upload-model', 'iris', '--dry-run'])).toMatchObject({ code: 2, stderr: expect.stringContaining('"iris" is not a model version') as string })
})

test('from a clone without these packages, a verb says how to get them', async () => {
  const clone = join(folder, 'clone')
  mkdirSync(clone)
  writeFileSync(join(clone, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(clone, 'run.js'), readFileSync(launcher))
  expect(await start(process.execPath, [join(clone, 'run.js'), 'deploy'])).toEqual({
    code: 1, stdout: '', stderr: 'The packages that deploy to AWS are not installed. They are apart from the server\'s: npm --prefix infra ci\n',
  })
})

test('the bill is printed for people and for machines, with what is unsure about it', async () => {
  const { stdout } = await call('cost', ['--requests-per-second', '50', '--environment', 'production'])
  expect(stdout).toMatch(/Fargate vCPU +4,380 vCPU-hour/)
  expect(stdout).toMatch(/~ low confidence: \d+ of \d+ prices/)
  const report = JSON.parse((await call('cost', ['--json', '--region', 'us-east-1'])).stdout) as { bills: { variant: string, total: number }[], breakEvens: unknown[] }
  expect(report.bills.map(({ variant }) => variant)).toEqual(['fargate', 'fargate + http-api', 'fargate + rest-api', 'lambda + http-api', 'lambda + rest-api'])
  expect(report.breakEvens).toHaveLength(3)
})

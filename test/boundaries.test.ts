import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = resolve(import.meta.dirname, '..')

/** One import that must not be, per rule: the rule, the file that sins, what it imports. */
const planted = [
  ['leaves-import-nothing', 'src/errors.ts', './config.ts'],
  ['config-stands-alone', 'src/config-kinds.ts', './artifact/planted.ts'],
  ['preprocess-knows-no-engine', 'src/preprocess/planted.ts', '../engine/planted.ts'],
  ['engine-knows-no-model', 'src/engine/planted.ts', '../preprocess/planted.ts'],
  ['artifact-is-only-files', 'src/artifact/planted.ts', '../serving/planted.ts'],
  ['monitor-counts-only', 'src/monitor/planted.ts', '../serving/planted.ts'],
  ['schemas-come-from-the-manifest', 'src/schemas/planted.ts', '../config.ts'],
  ['serving-knows-no-http', 'src/serving/planted.ts', '../monitor/planted.ts'],
  ['auth-stands-alone', 'src/auth/planted.ts', '../serving/planted.ts'],
  ['plugins-are-one-concern', 'src/plugins/planted.ts', '../engine/planted.ts'],
  ['plugins-take-options', 'src/plugins/planted.ts', '../config.ts'],
  ['auth-has-few-users', 'src/plugins/planted.ts', '../auth/planted.ts'],
  ['processes-only-supervise', 'src/processes/planted.ts', '../serving/planted.ts'],
  ['protocols-only-translate', 'src/protocols/planted.ts', '../serving/planted.ts'],
  ['protocols-are-for-routes', 'src/schemas/planted.ts', '../protocols/planted.ts'],
  ['lambda-only-translates', 'src/lambda/planted.ts', '../serving/planted.ts'],
  ['routes-only-route', 'src/routes/planted.ts', '../serving/planted.ts'],
  ['app-composes', 'src/main.ts', './plugins/planted.ts'],
  ['entries-start-the-app', 'src/cli/planted.ts', '../app.ts'],
  ['serve-is-for-entries', 'src/routes/planted.ts', '../serve.ts'],
  ['server-is-for-serve', 'src/cli/planted.ts', '../server.ts'],
  ['entries-are-entries', 'src/app.ts', './main.ts'],
  ['commands-end-at-the-command-line', 'src/training/planted.ts', '../cli/planted.ts'],
  ['no-training-in-the-server', 'src/app.ts', './training/planted.ts'],
  ['onnx-is-only-protobuf', 'src/onnx/planted.ts', '../artifact/planted.ts'],
  ['onnx-is-for-makers', 'src/serving/planted.ts', '../onnx/planted.ts'],
  ['training-needs-no-server', 'src/training/planted.ts', '../config.ts'],
  ['one-door-onnxruntime', 'src/engine/planted.ts', 'onnxruntime-node'],
  ['one-door-ioredis', 'src/auth/planted.ts', 'ioredis'],
  ['one-door-protobuf', 'src/training/planted.ts', '@bufbuild/protobuf'],
  ['one-door-duckdb', 'src/training/planted.ts', '@duckdb/node-api'],
  ['one-door-aws', 'src/serving/planted.ts', '@aws-sdk/client-s3'],
  ['one-door-fastify', 'src/serving/planted.ts', 'node:http'],
  ['production-packages-only', 'src/training/planted.ts', 'fast-check'],
  ['no-unresolvable', 'src/training/planted.ts', './missing.ts'],
  // Half of a round that the row of preprocess-knows-no-engine closes.
  ['no-cycles', 'src/engine/planted.ts', '../preprocess/planted.ts'],
] as const

interface Violation { rule: { name: string }, from: string, to: string }
interface Report {
  totalCruised: number
  violations: Violation[]
  ruleSetUsed: { forbidden: { name: string, comment: string }[] }
}

let folder: string
let report: Report

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-boundaries-'))
  for (const file of ['package.json', 'tsconfig.json', '.dependency-cruiser.js']) await cp(join(repository, file), join(folder, file))
  await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'))
  const sources = new Map<string, string>()
  for (const [, from, to] of planted) {
    sources.set(from, `${sources.get(from) ?? ''}import '${to}'\n`)
    if (to.startsWith('.') && to !== './missing.ts') {
      const target = join(dirname(from), to)
      sources.set(target, sources.get(target) ?? '')
    }
  }
  for (const [file, text] of sources) {
    await mkdir(join(folder, dirname(file)), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  report = await cruise(folder)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('the source keeps to every boundary', async () => {
  const { totalCruised, violations } = await cruise(repository)
  expect(violations.map(describe)).toEqual([])
  expect(totalCruised).toBeGreaterThan(20)
})

test.each(planted)('the rule %s catches %s importing %s', (rule, from, to) => {
  const target = to.startsWith('.') && to !== './missing.ts' ? join(dirname(from), to) : to.replace('node:', '')
  const caught = report.violations.filter(violation => violation.rule.name === rule && violation.from === from)
  expect(caught.map(violation => violation.to)).toContainEqual(expect.stringContaining(target))
})

test('every rule has a violation planted, and tells what to do instead', () => {
  const rules = report.ruleSetUsed.forbidden
  expect(new Set(planted.map(([rule]) => rule))).toEqual(new Set(rules.map(rule => rule.name)))
  for (const rule of rules) expect(rule.comment).toMatch(/\.$/)
})

function describe ({ rule, from, to }: Violation): string {
  return `${rule.name}: ${from} → ${to}`
}

/** Runs the command of `npm run boundaries` in a folder. */
async function cruise (cwd: string): Promise<Report> {
  const command = join(repository, 'node_modules/.bin/depcruise')
  const output = await new Promise<string>((resolve, reject) => {
    execFile(command, ['src', '--output-type', 'json'], { cwd, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }))
      else resolve(stdout)
    })
  })
  return (JSON.parse(output) as { summary: Report }).summary
}

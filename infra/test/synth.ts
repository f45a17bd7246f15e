import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { build } from '../build.ts'
import { type EnvironmentConfig, checkConfig, configOf } from '../config.ts'

interface Resource { Type: string, Properties?: Record<string, unknown>, DeletionPolicy?: string }
interface StackTemplate { Resources: Record<string, Resource>, Outputs?: Record<string, { Value: unknown }> }

const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8')) as { context: Record<string, unknown> }

/**
 * Every stack's template, with the settings of cdk.json, checked by CloudFormation's rules and by cdk-nag.
 *
 * @throws Error that names every finding
 */
export function synth (environment: string, config: EnvironmentConfig): Record<string, StackTemplate> {
  const folder = mkdtempSync(join(tmpdir(), 'modelport-infra-'))
  try {
    const app = new App({ context, outdir: join(folder, 'out'), analyticsReporting: false })
    build(app, environment, checkConfig(environment, config), packageIn(folder))
    const assembly = app.synth()
    // What a strict synth refuses is refused here too.
    const warnings = assembly.stacks.flatMap(({ messages }) => messages).map(({ id, entry }) => `${id}: ${String(entry.data)}`)
    if (warnings.length > 0) throw new Error(warnings.join('\n'))
    return Object.fromEntries(assembly.stacks.map(stack => [stack.id, stack.template as StackTemplate]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A package of the function with nothing in it but its handlers: tests do not depend on what was built. */
function packageIn (folder: string): string {
  const dist = join(folder, 'package', 'dist')
  mkdirSync(dist, { recursive: true })
  for (const name of ['lambda.js', 'job.js']) writeFileSync(join(dist, name), '')
  return join(folder, 'package')
}

const made = new Map<string, Record<string, StackTemplate>>()

/** As `synth`, of an environment that can be deployed; made once for all tests. */
export function stacksOf (environment: string): Record<string, StackTemplate> {
  const stacks = made.get(environment) ?? synth(environment, configOf(environment))
  made.set(environment, stacks)
  return stacks
}

/** One stack of an environment, to look at with CDK's assertions. */
export function templateOf (environment: string, stack: string): Template {
  const template = stacksOf(environment)[stack]
  if (template === undefined) throw new Error(`${environment} has no stack ${stack}, but ${Object.keys(stacksOf(environment)).join(', ')}`)
  return Template.fromJSON(template)
}

/** Resources of one type in all stacks, as [stack and logical id, properties]. */
export function resourcesOf (stacks: Record<string, StackTemplate>, type: string): [name: string, properties: Record<string, unknown>][] {
  return Object.entries(stacks).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources).filter(([, resource]) => resource.Type === type).map(([id, { Properties = {} }]) => [`${stack}/${id}`, Properties] as [string, Record<string, unknown>]))
}

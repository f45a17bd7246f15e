import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import settings from '../cdk.json' with { type: 'json' }
import { build } from '../build.ts'
import type { EnvironmentConfig } from '../config.ts'
import { environments } from '../environments.ts'

/** What the diagram is of. */
export interface Drawn {
  readonly stacks: readonly DrawnStack[]
}

interface DrawnStack {
  /** Its name in the CDK app. */
  readonly id: string
  /** How many resources of each CloudFormation type it has. */
  readonly resources: Readonly<Record<string, number>>
  /** Stacks that its resources need. */
  readonly needs: readonly string[]
}

/** production with all that can be on, so that everything is in the picture. */
export const everythingOn: EnvironmentConfig = { ...environments.production, lambda: environments.dev.lambda }

/** The function's package is missing on purpose: nobody need be told. */
const withoutReport = { '@aws-cdk/core:validateAgainstDefaultRules': false, '@aws-cdk/core:annotationsInValidationReport': false }

/** Synthesises an environment without the checks, which the tests of the stacks are for, and reads what is in the templates. */
export function read (environment: string, config: EnvironmentConfig): Drawn {
  const folder = mkdtempSync(join(tmpdir(), 'modelport-diagram-'))
  try {
    const app = new App({ outdir: join(folder, 'out'), context: { ...settings.context, ...withoutReport }, analyticsReporting: false })
    // The function's code is no part of the picture: whoever draws need not have built it.
    build(app, environment, config, join(folder, 'no package'))
    const assembly = app.synth({ skipValidation: true })
    const stacks = app.node.children.filter(child => Stack.isStack(child))
    return {
      stacks: stacks.map(stack => ({
        id: stack.node.id,
        resources: countTypes(assembly.getStackByName(stack.stackName).template as Template),
        needs: stack.dependencies.map(({ node }) => node.id).sort(),
      })),
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Template {
  readonly Resources?: Readonly<Record<string, { readonly Type: string }>>
}

function countTypes ({ Resources = {} }: Template): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { Type } of Object.values(Resources)) counts[Type] = (counts[Type] ?? 0) + 1
  return counts
}

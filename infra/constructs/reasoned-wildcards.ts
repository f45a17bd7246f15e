import { type IPolicyValidationContext, type IPolicyValidationPlugin, type PolicyValidationPluginReport, type PolicyViolation, Stack, Validations } from 'aws-cdk-lib'
import { type CfnRole, type Role } from 'aws-cdk-lib/aws-iam'
import type { IConstruct } from 'constructs'

/** Why a resource of a role's policies must have a `*` in it, by the end of the resource. */
type Reasons = Readonly<Record<string, string>>

const explained = new WeakMap<IConstruct, Reasons>()

/**
 * Says why a role's permissions need a `*` in some resources. Each reason must be of use: one for a resource that is not
 * there is an error too.
 *
 * @param reasons by the end of the resource, such as `/models/*`
 */
export function explainWildcards (role: Role, reasons: Reasons): void {
  explained.set(role, { ...explained.get(role), ...reasons })
}

/**
 * Acknowledges what `explainWildcards` was told. cdk-nag names a finding by the whole resource, and what another stack's
 * resource is called is known only when all stacks are there: so this runs as a check of its own, before cdk-nag's.
 */
export class ReasonedWildcards implements IPolicyValidationPlugin {
  readonly name = 'ReasonedWildcards'

  validate ({ appConstruct }: IPolicyValidationContext): PolicyValidationPluginReport {
    const violations = appConstruct.node.findAll().flatMap(construct => {
      const reasons = explained.get(construct)
      return reasons === undefined ? [] : acknowledge(construct, reasons)
    })
    return { success: violations.length === 0, violations }
  }
}

function acknowledge (role: IConstruct, reasons: Reasons): PolicyViolation[] {
  const resource = role.node.defaultChild as CfnRole
  const used = new Set<string>()
  for (const wildcard of wildcardsOf(resource)) {
    const [end, reason] = Object.entries(reasons).find(([end]) => wildcard.endsWith(end)) ?? []
    if (end === undefined || reason === undefined) continue
    used.add(end)
    Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${wildcard}]`, reason })
  }
  return Object.keys(reasons).filter(end => !used.has(end)).map(end => ({
    ruleName: 'reason-without-wildcard',
    description: `There is a reason for ${end}, and no resource that ends so`,
    severity: 'error',
    violatingResources: [{ constructPath: resource.node.path, locations: ['Properties'] }],
  }))
}

interface Document { Statement?: { Resource?: unknown }[] }

function wildcardsOf (role: CfnRole): string[] {
  const resolve = (value: unknown): unknown => Stack.of(role).resolve(value)
  const policies = (resolve(role.policies) ?? []) as { policyDocument: unknown }[]
  const resources = policies.flatMap(({ policyDocument }) => ((resolve(policyDocument) as Document).Statement ?? []).flatMap(({ Resource }) => Resource ?? []))
  return resources.map(flat).filter(text => text.includes('*'))
}

/** A resource as cdk-nag writes it. */
function flat (node: unknown): string {
  if (typeof node === 'string') return node.replaceAll('${', '<').replaceAll('}', '>')
  const [[name, value] = []] = Object.entries(node as object) as [string, unknown][]
  if (name === 'Fn::Join') {
    const [delimiter, items] = value as [string, unknown[]]
    return items.map(flat).join(delimiter)
  }
  if (name === 'Ref') return `<${String(value)}>`
  if (name === 'Fn::GetAtt') return `<${(value as string[]).join('.')}>`
  return JSON.stringify(node)
}

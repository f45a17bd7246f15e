import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { CfnLoggingConfiguration, CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'

interface WebAclProps {
  environment: string
  waf: On<EnvironmentConfig['waf']>
  logRetentionDays: number
  loadBalancerArn: string
  /** Whether callers reach the load balancer themselves; else all come from the gateway's addresses. */
  public: boolean
}

/**
 * The web ACL of the load balancer. AWS WAF cannot be attached to an HTTP API: requests that come by the gateway are looked at here, one step later,
 * and the gateway's own throttling stands before it.
 */
export class WebAcl extends Construct {
  constructor (scope: Construct, id: string, props: WebAclProps) {
    super(scope, id)
    const acl = new CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('modelport'),
      rules: [rateRule(props), ...managedRules()],
    })
    new CfnWebACLAssociation(this, 'Association', { resourceArn: props.loadBalancerArn, webAclArn: acl.attrArn }) // eslint-disable-line no-new
    this.#log(acl, props)
  }

  /** What was blocked or would have been, without the callers' tokens. WAF demands this beginning of the name. */
  #log (acl: CfnWebACL, props: WebAclProps): void {
    const log = new LogGroup(this, 'Log', {
      logGroupName: `aws-waf-logs-modelport-${props.environment}`,
      retention: props.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: acl.attrArn,
      logDestinationConfigs: [Stack.of(this).formatArn({ service: 'logs', resource: 'log-group', resourceName: log.logGroupName, arnFormat: ArnFormat.COLON_RESOURCE_NAME })],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [{ Behavior: 'KEEP', Requirement: 'MEETS_ANY', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }, { ActionCondition: { Action: 'COUNT' } }] }],
      },
    })
    logging.node.addDependency(log)
  }
}

/** Counts by address. Behind the gateway every address is the gateway's, so there it counts by token; what has none is refused by the server at little cost. */
function rateRule (props: WebAclProps): CfnWebACL.RuleProperty {
  const limit = { limit: props.waf.requestsPerFiveMinutesPerAddress, evaluationWindowSec: 300 }
  return {
    name: 'rate',
    priority: 0,
    action: { block: { customResponse: { responseCode: 429 } } },
    statement: {
      rateBasedStatement: props.public
        ? { ...limit, aggregateKeyType: 'IP' }
        : { ...limit, aggregateKeyType: 'CUSTOM_KEYS', customKeys: [{ header: { name: 'authorization', textTransformations: [{ priority: 0, type: 'NONE' }] } }] },
    },
    visibilityConfig: visibility('rate'),
  }
}

function managedRules (): CfnWebACL.RuleProperty[] {
  const groups = [
    // Its rule on sizes blocks every body above 8 KB. Ours may have 10 MB (BODY_LIMIT), and the server itself refuses larger ones.
    { name: 'AWSManagedRulesCommonRuleSet', countOnly: ['SizeRestrictions_BODY'] },
    { name: 'AWSManagedRulesKnownBadInputsRuleSet', countOnly: [] },
  ]
  return groups.map(({ name, countOnly }, index) => ({
    name,
    priority: index + 1,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: { vendorName: 'AWS', name, ruleActionOverrides: countOnly.map(rule => ({ name: rule, actionToUse: { count: {} } })) },
    },
    visibilityConfig: visibility(name),
  }))
}

function visibility (metricName: string): CfnWebACL.VisibilityConfigProperty {
  return { cloudWatchMetricsEnabled: true, metricName, sampledRequestsEnabled: true }
}

import { Stack, type StackProps } from 'aws-cdk-lib'
import { VpcLink } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpAlbIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import type { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import { HttpFront } from '../constructs/http-front.ts'
import { timeouts } from '../constructs/timeouts.ts'
import type { NetworkStack } from './network.ts'
import type { ServiceStack } from './service.ts'

interface GatewayProps extends StackProps {
  environment: string
  config: EnvironmentConfig
  /** The part of the configuration that is on. */
  gateway: On<EnvironmentConfig['gateway']>
  network: NetworkStack
  service: ServiceStack
}

/** The way in where the load balancer is private: an HTTP API and its link into the network. */
export class GatewayStack extends Stack {
  readonly front: HttpFront

  constructor (scope: Construct, id: string, props: GatewayProps) {
    super(scope, id, props)
    const { environment, config, gateway, network } = props
    const { listener, callers } = props.service.door
    if (callers === undefined) throw new Error('The gateway needs a private load balancer: leave service.certificateArn out, or set gateway to "off"')
    const vpcLink = new VpcLink(this, 'Link', { vpc: network.vpc, subnets: network.taskSubnets, securityGroups: [callers] })
    this.front = new HttpFront(this, 'Front', {
      name: `modelport-${environment}`,
      auth: config.auth,
      integration: new HttpAlbIntegration('Service', listener, { vpcLink, timeout: timeouts.gateway }),
      ...gateway,
      logRetentionDays: config.monitoring.logRetentionDays,
    })
  }
}

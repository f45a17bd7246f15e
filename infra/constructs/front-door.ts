import { Duration, Validations } from 'aws-cdk-lib'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2'
import {
  ApplicationListenerRule, ApplicationLoadBalancer, type ApplicationListener, ApplicationProtocol, ApplicationTargetGroup, DesyncMitigationMode, ListenerAction, ListenerCondition,
  SslPolicy, TargetGroupLoadBalancingAlgorithmType, TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { NetworkStack } from '../stacks/network.ts'
import { timeouts } from './timeouts.ts'

interface FrontDoorProps {
  network: NetworkStack
  logs: Bucket
  /** ACM certificate of a load balancer on the internet; absent: a private one. */
  certificateArn: string | undefined
  /** Whether a second group of targets takes the new version in, beside the first. */
  twoGroups: boolean
  port: number
  readinessPath: string
  deletionProtection: boolean
}

/** The load balancer, its one listener, and the target groups that deployments shift traffic between. */
export class FrontDoor extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer
  readonly listener: ApplicationListener
  /** The rule that a deployment changes the weights of. */
  readonly rule: ApplicationListenerRule
  readonly blue: ApplicationTargetGroup
  readonly green: ApplicationTargetGroup | undefined
  /** Who may call a private load balancer. */
  readonly callers: SecurityGroup | undefined

  constructor (scope: Construct, id: string, props: FrontDoorProps) {
    super(scope, id)
    const { network, certificateArn } = props
    const securityGroup = new SecurityGroup(this, 'Group', { vpc: network.vpc, description: 'The load balancer', allowAllOutbound: false })
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      internetFacing: certificateArn !== undefined,
      vpcSubnets: certificateArn === undefined ? network.taskSubnets : { subnetGroupName: 'public' },
      securityGroup,
      idleTimeout: timeouts.idle,
      dropInvalidHeaderFields: true,
      desyncMitigationMode: DesyncMitigationMode.DEFENSIVE,
      deletionProtection: props.deletionProtection,
    })
    this.loadBalancer.logAccessLogs(props.logs, 'load-balancer')
    if (certificateArn === undefined) this.callers = this.#callers(network, securityGroup)
    this.listener = certificateArn === undefined ? this.#privateListener() : this.#publicListener(securityGroup, certificateArn)
    this.blue = this.#targets('Blue', props)
    if (props.twoGroups) this.green = this.#targets('Green', props)
    this.rule = new ApplicationListenerRule(this, 'Rule', {
      listener: this.listener,
      priority: 1,
      conditions: [ListenerCondition.pathPatterns(['/*'])],
      // Where all begins; from then on deployments set the weights. Do not change this rule: CloudFormation would write these weights over theirs.
      action: this.green === undefined
        ? ListenerAction.forward([this.blue])
        : ListenerAction.weightedForward([{ targetGroup: this.blue, weight: 100 }, { targetGroup: this.green, weight: 0 }]),
    })
  }

  get groups (): ApplicationTargetGroup[] {
    return this.green === undefined ? [this.blue] : [this.blue, this.green]
  }

  #callers (network: NetworkStack, loadBalancer: SecurityGroup): SecurityGroup {
    const callers = new SecurityGroup(this, 'Callers', { vpc: network.vpc, description: 'Who may call the private load balancer', allowAllOutbound: false })
    callers.addEgressRule(loadBalancer, Port.tcp(80), 'The load balancer')
    loadBalancer.addIngressRule(callers, Port.tcp(80), 'The gateway')
    return callers
  }

  /** Plain HTTP within the network: the gateway ends the callers' TLS, and its link does not leave AWS. */
  #privateListener (): ApplicationListener {
    return this.loadBalancer.addListener('Private', { port: 80, protocol: ApplicationProtocol.HTTP, open: false, defaultAction: ListenerAction.fixedResponse(404) })
  }

  #publicListener (securityGroup: SecurityGroup, certificateArn: string): ApplicationListener {
    securityGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(443), 'Callers on the internet')
    securityGroup.addIngressRule(Peer.anyIpv4(), Port.tcp(80), 'Callers who are sent to HTTPS')
    Validations.of(securityGroup).acknowledge({ id: 'AwsSolutions-EC23', reason: 'A public API is called from anywhere; tokens, the rate limit and the web ACL decide who is answered. Port 80 only redirects.' })
    this.loadBalancer.addRedirect({ open: false })
    return this.loadBalancer.addListener('Public', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', certificateArn)],
      // TLS 1.3, and 1.2 with forward secrecy only, for callers who have no 1.3 yet.
      sslPolicy: SslPolicy.TLS13_12_RES_PQ,
      open: false,
      defaultAction: ListenerAction.fixedResponse(404),
    })
  }

  #targets (id: string, { network, port, readinessPath }: FrontDoorProps): ApplicationTargetGroup {
    return new ApplicationTargetGroup(this, id, {
      vpc: network.vpc,
      targetType: TargetType.IP,
      protocol: ApplicationProtocol.HTTP,
      port,
      deregistrationDelay: timeouts.deregistration,
      // Requests differ in length by the number of rows in them.
      loadBalancingAlgorithmType: TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
      healthCheck: { path: readinessPath, healthyHttpCodes: '200', interval: Duration.seconds(10), timeout: Duration.seconds(5), healthyThresholdCount: 2, unhealthyThresholdCount: 3 },
    })
  }
}

import { Fn, Stack, type StackProps } from 'aws-cdk-lib'
import {
  FlowLogDestination, FlowLogTrafficType, GatewayVpcEndpointAwsService, InterfaceVpcEndpointAwsService, IpAddresses, Peer, Port, SecurityGroup, type SubnetConfiguration,
  type SubnetSelection, SubnetType, Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs'
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'

interface NetworkProps extends StackProps {
  config: EnvironmentConfig
  logs: Bucket
}

/** The VPC, its ways to AWS, and the cluster that tasks run in. */
export class NetworkStack extends Stack {
  readonly vpc: Vpc
  readonly cluster: Cluster
  /** Where tasks run: no address of the internet, and no way in from it. */
  readonly taskSubnets: SubnetSelection = { subnetGroupName: 'tasks' }
  /** For tasks that nobody calls: jobs. */
  readonly jobs: SecurityGroup
  readonly #zones: number

  constructor (scope: Construct, id: string, props: NetworkProps) {
    super(scope, id, props)
    const { network, service, auth, rateLimit } = props.config
    this.#zones = network.availabilityZones
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(network.cidr),
      maxAzs: network.availabilityZones,
      // Room for the third, so that one more moves nothing.
      reservedAzs: 3 - network.availabilityZones,
      natGateways: network.egress === 'nat' ? 1 : 0,
      subnetConfiguration: subnets(network, service !== 'off' && service.certificateArn !== undefined),
      // It would be a custom resource with a function of its own. Nothing here is in the default group.
      restrictDefaultSecurityGroup: false,
    })
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toS3(props.logs, 'vpc'), trafficType: FlowLogTrafficType.ALL })
    this.#reachS3()
    if (network.egress === 'endpoints') this.#reachServices(network.cidr, auth.kind === 'secret' || rateLimit.shared === 'valkey')
    this.cluster = new Cluster(this, 'Cluster', { vpc: this.vpc, containerInsightsV2: ContainerInsights.ENABLED, enableFargateCapacityProviders: true })
    this.jobs = securityGroupForTasks(this, 'Jobs', this.vpc, 'Tasks that nobody calls: jobs')
  }

  /** Asked for at deployment: the names of zones differ from account to account, and a synth knows no account. */
  override get availabilityZones (): string[] {
    return Array.from({ length: this.#zones }, (_, index) => Fn.select(index, Fn.getAzs()))
  }

  /** Free, and models and layers of images do not pass through the NAT gateway, which costs per GB. */
  #reachS3 (): void {
    const endpoint = this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
    // The endpoint is a way out to everybody's buckets. Whoever gets into a task can take nothing to a bucket of another account.
    endpoint.addToPolicy(new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions: [
        's3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketLocation',
        's3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:ListBucketMultipartUploads',
      ],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:ResourceAccount': this.account } },
    }))
    // Where ECR keeps the layers of images.
    endpoint.addToPolicy(new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions: ['s3:GetObject'],
      resources: [`arn:${this.partition}:s3:::prod-${this.region}-starport-layer-bucket/*`],
    }))
  }

  /** Only what tasks call: each costs by the hour and zone. Metrics are lines of the log, credentials come from the task's own address. */
  #reachServices (cidr: string, secrets: boolean): void {
    const services = {
      EcrApi: InterfaceVpcEndpointAwsService.ECR,
      EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
      Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
      ...(secrets && { Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER }),
    }
    const securityGroup = new SecurityGroup(this, 'Endpoints', { vpc: this.vpc, description: 'AWS services that tasks call', allowAllOutbound: false })
    securityGroup.addIngressRule(Peer.ipv4(cidr), Port.tcp(443), 'From within the network')
    for (const [id, service] of Object.entries(services)) {
      this.vpc.addInterfaceEndpoint(id, { service, subnets: this.taskSubnets, securityGroups: [securityGroup], open: false })
    }
  }
}

/** Out only, and only TLS. Without NAT that ends at the endpoints: S3's addresses are public ones, so the rule cannot be narrower. */
export function securityGroupForTasks (scope: Construct, id: string, vpc: Vpc, description: string): SecurityGroup {
  const group = new SecurityGroup(scope, id, { vpc, description, allowAllOutbound: false })
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS services')
  return group
}

/** Three quarters for tasks. The public part is always set aside: subnets that move are replaced, with all that is in them. */
function subnets ({ cidr, egress }: EnvironmentConfig['network'], publicLoadBalancer: boolean): SubnetConfiguration[] {
  const prefix = Number(cidr.split('/')[1])
  return [
    { name: 'tasks', subnetType: egress === 'nat' ? SubnetType.PRIVATE_WITH_EGRESS : SubnetType.PRIVATE_ISOLATED, cidrMask: prefix + 2 },
    { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: prefix + 4, mapPublicIpOnLaunch: false, reserved: egress !== 'nat' && !publicLoadBalancer },
  ]
}

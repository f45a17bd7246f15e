/** What is drawn of each CloudFormation type: one thing, several. Types that only hold others together are left out of the picture. */
const words: Readonly<Record<string, readonly [one: string, several: string]>> = {
  'AWS::ApiGatewayV2::Api': ['HTTP API', 'HTTP APIs'],
  'AWS::ApiGatewayV2::Authorizer': ['JWT authorizer', 'JWT authorizers'],
  'AWS::ApiGatewayV2::VpcLink': ['VPC link', 'VPC links'],
  'AWS::WAFv2::WebACL': ['web application firewall', 'web application firewalls'],
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ['load balancer', 'load balancers'],
  'AWS::ElasticLoadBalancingV2::TargetGroup': ['target group', 'target groups'],
  'AWS::ECS::Service': ['Fargate service', 'Fargate services'],
  'AWS::ApplicationAutoScaling::ScalingPolicy': ['scaling rule', 'scaling rules'],
  'AWS::ElastiCache::ServerlessCache': ['Valkey cache', 'Valkey caches'],
  'AWS::Lambda::Function': ['function', 'functions'],
  'AWS::StepFunctions::StateMachine': ['workflow', 'workflows'],
  'AWS::ECS::TaskDefinition': ['kind of Fargate task', 'kinds of Fargate tasks'],
  'AWS::Scheduler::Schedule': ['schedule', 'schedules'],
  'AWS::Events::Rule': ['event rule', 'event rules'],
  'AWS::SQS::Queue': ['dead-letter queue', 'dead-letter queues'],
  'AWS::S3::Bucket': ['S3 bucket', 'S3 buckets'],
  'AWS::ECR::Repository': ['image repository', 'image repositories'],
  'AWS::SageMaker::ModelPackageGroup': ['model package group', 'model package groups'],
  'AWS::SecretsManager::Secret': ['secret', 'secrets'],
  'AWS::EC2::VPC': ['VPC', 'VPCs'],
  'AWS::EC2::NatGateway': ['NAT gateway', 'NAT gateways'],
  'AWS::EC2::VPCEndpoint': ['endpoint to AWS', 'endpoints to AWS'],
  'AWS::EC2::FlowLog': ['flow log', 'flow logs'],
  'AWS::ECS::Cluster': ['ECS cluster', 'ECS clusters'],
  'AWS::CloudWatch::Dashboard': ['dashboard', 'dashboards'],
  'AWS::CloudWatch::Alarm': ['alarm', 'alarms'],
  'AWS::CloudWatch::CompositeAlarm': ['composite alarm', 'composite alarms'],
  'AWS::SNS::Topic': ['topic for whoever is on call', 'topics for whoever is on call'],
  'AWS::Budgets::Budget': ['budget', 'budgets'],
}

/** "2 target groups", in the order of the table above. */
export function contents (resources: Readonly<Record<string, number>>): string[] {
  return Object.entries(words).flatMap(([type, [one, several]]) => {
    const count = resources[type] ?? 0
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`]
  })
}

/* eslint-disable no-new -- a stack is part of the app by being made */
import { join } from 'node:path'
import { type App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { type EnvironmentConfig, runsTasks } from './config.ts'
import { ReasonedWildcards } from './constructs/reasoned-wildcards.ts'
import { BatchStack } from './stacks/batch.ts'
import { DataStack } from './stacks/data.ts'
import { GatewayStack } from './stacks/gateway.ts'
import { LambdaStack } from './stacks/lambda.ts'
import { MonitoringStack, type Watched } from './stacks/monitoring.ts'
import { NetworkStack } from './stacks/network.ts'
import { ServiceStack } from './stacks/service.ts'
import { TrainingStack } from './stacks/training.ts'

/** Made by `npm run package:lambda` in the project's folder. */
const lambdaPackageFolder = join(import.meta.dirname, '..', 'build', 'lambda')

/** Every stack by name, in order: who is handed to whom. */
export function build (app: App, environment: string, config: EnvironmentConfig, packageFolder = lambdaPackageFolder): void {
  const named = (stack: string) => ({
    stackName: `modelport-${environment}-${stack}`,
    env: { region: config.region, ...(config.account && { account: config.account }) },
    terminationProtection: environment === 'production',
  })
  const data = new DataStack(app, 'Data', { ...named('data'), environment, auth: config.auth })
  const watched: Watched = {}
  const network = runsTasks(config) ? new NetworkStack(app, 'Network', { ...named('network'), config, logs: data.logs }) : undefined
  if (network && config.service !== 'off') {
    const service = new ServiceStack(app, 'Service', { ...named('service'), environment, config, service: config.service, data, network })
    watched.service = service
    if (config.gateway !== 'off') new GatewayStack(app, 'Gateway', { ...named('gateway'), environment, config, gateway: config.gateway, network, service })
  }
  if (config.batch !== 'off') {
    const tasksIn = config.batch.runner === 'fargate' ? network : undefined
    watched.batch = new BatchStack(app, 'Batch', { ...named('batch'), environment, config, batch: config.batch, data, network: tasksIn, packageFolder })
  }
  if (network && config.training !== 'off') watched.training = new TrainingStack(app, 'Training', { ...named('training'), environment, config, training: config.training, data, network })
  if (config.lambda !== 'off') watched.lambda = new LambdaStack(app, 'Lambda', { ...named('lambda'), environment, config, lambda: config.lambda, data, packageFolder })
  new MonitoringStack(app, 'Monitoring', { ...named('monitoring'), environment, config, data, ...watched })
  Tags.of(app).add('project', 'modelport')
  Tags.of(app).add('environment', environment)
  Validations.of(app).addPlugins(new ReasonedWildcards(), new AwsSolutionsChecks(app))
}

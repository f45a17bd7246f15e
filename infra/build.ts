import { type App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { EnvironmentConfig } from './config.ts'
import { ReasonedWildcards } from './constructs/reasoned-wildcards.ts'
import { DataStack } from './stacks/data.ts'
import { NetworkStack } from './stacks/network.ts'
import { ServiceStack } from './stacks/service.ts'

/** Every stack by name, in order: who is handed to whom. */
export function build (app: App, environment: string, config: EnvironmentConfig): void {
  const named = (stack: string) => ({
    stackName: `modelport-${environment}-${stack}`,
    env: { region: config.region, ...(config.account && { account: config.account }) },
    terminationProtection: environment === 'production',
  })
  const data = new DataStack(app, 'Data', { ...named('data'), environment, auth: config.auth })
  const network = new NetworkStack(app, 'Network', { ...named('network'), config, logs: data.logs })
  if (config.service !== 'off') new ServiceStack(app, 'Service', { ...named('service'), environment, config, service: config.service, data, network })
  Tags.of(app).add('project', 'modelport')
  Tags.of(app).add('environment', environment)
  Validations.of(app).addPlugins(new ReasonedWildcards(), new AwsSolutionsChecks(app))
}

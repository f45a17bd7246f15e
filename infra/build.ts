import { type App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { EnvironmentConfig } from './config.ts'
import { DataStack } from './stacks/data.ts'

/** Every stack by name, in order: who is handed to whom. */
export function build (app: App, environment: string, config: EnvironmentConfig): void {
  const named = (stack: string) => ({
    stackName: `modelport-${environment}-${stack}`,
    env: { region: config.region, ...(config.account && { account: config.account }) },
    terminationProtection: environment === 'production',
  })
  new DataStack(app, 'Data', { ...named('data'), environment }) // eslint-disable-line no-new
  Tags.of(app).add('project', 'modelport')
  Tags.of(app).add('environment', environment)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
}

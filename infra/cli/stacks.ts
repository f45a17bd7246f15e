import { type EnvironmentConfig, runsTasks } from '../config.ts'

/** The stacks that an environment has, by their name in the CDK app, in the order in which they are made. A test compares it with the app. */
export function stacksOf (config: EnvironmentConfig): string[] {
  const { service, gateway, lambda, batch, training } = config
  return [
    'Data',
    ...(runsTasks(config) ? ['Network'] : []),
    ...(service === 'off' ? [] : ['Service']),
    ...(service !== 'off' && gateway !== 'off' ? ['Gateway'] : []),
    ...(lambda === 'off' ? [] : ['Lambda']),
    ...(batch === 'off' ? [] : ['Batch']),
    ...(training === 'off' ? [] : ['Training']),
    'Monitoring',
  ]
}

/** The stack whose address callers use. */
export function entranceOf ({ service, gateway }: EnvironmentConfig): string {
  if (service === 'off') return 'Lambda'
  return gateway === 'off' ? 'Service' : 'Gateway'
}

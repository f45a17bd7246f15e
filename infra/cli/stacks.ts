import type { EnvironmentConfig } from '../config.ts'

/** The stacks that an environment has, by their name in the CDK app, in the order in which they are made. A test compares it with the app. */
export function stacksOf ({ service, gateway, lambda, batch, training }: EnvironmentConfig): string[] {
  const needsNetwork = service !== 'off' || training !== 'off' || (batch !== 'off' && batch.runner === 'fargate')
  return [
    'Data',
    ...(needsNetwork ? ['Network'] : []),
    ...(service === 'off' ? [] : ['Service']),
    ...(service !== 'off' && gateway !== 'off' ? ['Gateway'] : []),
    ...(lambda === 'off' ? [] : ['Lambda']),
    ...(batch === 'off' ? [] : ['Batch']),
    ...(training === 'off' ? [] : ['Training']),
    'Monitoring',
  ]
}

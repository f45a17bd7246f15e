import { configOf, type EnvironmentConfig } from '../config.ts'
import { Refusal } from './program.ts'

export const environmentFlag = { environment: { type: 'string', short: 'e', default: 'dev' } } as const

/** @throws Refusal if there is no such environment, or if its configuration is wrong */
export function environmentOf (name: string): { name: string, config: EnvironmentConfig } {
  try {
    return { name, config: configOf(name) }
  } catch (error) {
    throw new Refusal((error as Error).message)
  }
}

/** Names that stacks get in CloudFormation. */
export function stackName (environment: string, stack: string): string {
  return `modelport-${environment}-${stack.toLowerCase()}`
}

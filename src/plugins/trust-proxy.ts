import type { FastifyServerOptions } from 'fastify'
import type { Config } from '../config.ts'

/**
 * TRUST_PROXY as Fastify's `trustProxy`. Fastify takes a number of hops and then trusts none, since
 * it cannot tell a proxy from a caller who connects directly; whoever sets a number says that nobody can.
 */
export function trustProxy (setting: Config['trustProxy']): NonNullable<FastifyServerOptions['trustProxy']> {
  return typeof setting === 'number' ? (_address, hop) => hop < setting : setting
}

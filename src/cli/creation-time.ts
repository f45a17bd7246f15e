import { type Terminal, UsageError } from './verb.ts'

/** What a version's manifest says of its making: now, or what SOURCE_DATE_EPOCH sets for builds that can be made again. */
export function creationTime ({ env }: Terminal): Date {
  const seconds = env['SOURCE_DATE_EPOCH']
  if (!seconds) return new Date()
  const time = new Date(Number(seconds) * 1000)
  if (Number.isNaN(time.getTime())) throw new UsageError('SOURCE_DATE_EPOCH must be seconds since 1970')
  return time
}

/** More faults than this in one answer are counted, not listed: a wrong column in 10,000 rows is one mistake. */
export const maxListedFaults = 100

/** More names than this in a message help nobody. */
const maxNames = 20

export function listNames (features: readonly { readonly name: string }[]): string {
  const names = features.slice(0, maxNames).map(({ name }) => name).join(', ')
  return features.length > maxNames ? `${names} and ${features.length - maxNames} more` : names
}

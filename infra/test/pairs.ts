/** The values that each option can have. */
export type Options = Readonly<Record<string, readonly unknown[]>>
type Choice = Record<string, unknown>

/**
 * Few choices in which every pair of values of two options occurs that can occur at all. Faults of configurations are nearly always
 * faults of one option or of two that meet.
 */
export function pairwise (options: Options, isAllowed: (choice: Choice) => boolean): Choice[] {
  const all = product(options).filter(isAllowed)
  const wanted = new Set(all.flatMap(pairsOf))
  const chosen: Choice[] = []
  while (wanted.size > 0) {
    const gain = (choice: Choice): number => pairsOf(choice).filter(pair => wanted.has(pair)).length
    const best = all.reduce<{ choice: Choice, gained: number }>((best, choice) => {
      const gained = gain(choice)
      return gained > best.gained ? { choice, gained } : best
    }, { choice: all[0]!, gained: 0 }).choice
    for (const pair of pairsOf(best)) wanted.delete(pair)
    chosen.push(best)
  }
  return chosen
}

function product (options: Options): Choice[] {
  return Object.entries(options).reduce<Choice[]>((choices, [name, values]) => choices.flatMap(choice => values.map(value => ({ ...choice, [name]: value }))), [{}])
}

function pairsOf (choice: Choice): string[] {
  const values = Object.entries(choice).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return values.flatMap((one, index) => values.slice(index + 1).map(other => `${one} & ${other}`))
}

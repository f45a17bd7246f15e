import type { Dice } from './dice.ts'

/** What the shop sells; its price never changes. */
export interface Product {
  readonly code: string
  readonly description: string
  readonly pence: number
}

const looks = ['ANTIQUE', 'BLUE', 'COSY', 'FELT', 'GLASS', 'IVORY', 'JUMBO', 'KNITTED', 'PINK POLKADOT', 'RED', 'RUSTIC', 'SILVER', 'STRIPED', 'TIN', 'VINTAGE', 'WHITE', 'WOODEN', 'ZINC']
const things = ['BAUBLE', 'BIRDHOUSE', 'BREAD BIN', 'CAKE STAND', 'CANDLE HOLDER', 'CLOCK', 'COASTER', 'DOORMAT', 'EGG CUP', 'FRAME', 'GARLAND', 'HOOK', 'JAM JAR', 'LANTERN', 'LUNCH BAG', 'MUG', 'NAPKIN', 'PLANTER', 'RIBBON', 'TEAPOT', 'TRAY', 'WREATH']
const kinds = ['', ' SMALL', ' LARGE', ', SET OF 3', ', PACK OF 12', ' "HOME"', ' HEART', ' STAR']

const productCount = 2_800
/** An offset so that the first of the list are not all of one look. It shares no factor with the number of names. */
const stride = 1_009

/** Products of which no two have the same code; the first are those that sell best. */
export function makeCatalogue (dice: Dice): Product[] {
  const names = looks.length * things.length * kinds.length
  return Array.from({ length: productCount }, (_, i) => {
    const name = i * stride % names
    const thing = things[Math.floor(name / looks.length) % things.length]
    return {
      code: `${20_000 + i}${dice.chance(0.15) ? 'ABCDE'[dice.below(5)] : ''}`,
      description: `${looks[name % looks.length]} ${thing}${kinds[Math.floor(name / looks.length / things.length)]}`,
      pence: Math.max(19, Math.round(100 * Math.exp(0.75 + 0.9 * dice.normal()))),
    }
  })
}

/** The share of each country's customers in a thousand; the rest are from the United Kingdom. */
const abroad: readonly (readonly [country: string, perMille: number])[] = [
  ['Germany', 22], ['France', 20], ['EIRE', 12], ['Spain', 8], ['Netherlands', 7], ['Belgium', 6], ['Switzerland', 5], ['Portugal', 5], ['Australia', 3], ['Norway', 3],
]

export const home = 'United Kingdom'

export function pickCountry (dice: Dice): string {
  let left = dice.below(1000)
  for (const [country, perMille] of abroad) {
    left -= perMille
    if (left < 0) return country
  }
  return home
}

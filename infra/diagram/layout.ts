import { contents } from './words.ts'
import type { Drawn } from './read.ts'

/** In the picture's own units; a text line is 20 high. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Card extends Box {
  readonly title: string
  readonly lines: readonly string[]
  readonly kind: 'stack' | 'network' | 'person'
  /** Lines stand beside each other in so many columns. */
  readonly columns: number
}

/** From edge to edge, straight. */
export interface Arrow {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
  readonly label: string
  readonly labelSide: 'right' | 'left' | 'above'
  /** Where on the way the label stands: 0 at the beginning, 1 at the end. */
  readonly labelAt: number
  /** Titles of the cards that it joins. */
  readonly joins: readonly [string, string]
}

export interface Layout {
  readonly width: number
  readonly height: number
  readonly cards: readonly Card[]
  readonly arrows: readonly Arrow[]
}

const line = 20
const head = 44
const gap = 56
const margin = 32
/** Left edges and widths of the columns: the function, what is in the network (three), what watches. */
const lambda = { x: margin, width: 190 }
const inner = [{ x: 290, width: 250 }, { x: 580, width: 230 }, { x: 850, width: 230 }] as const
const network = { x: 262, width: 846 }
const watch = { x: 1196, width: 240 }
const full = watch.x + watch.width + margin

const heightOf = (lines: number) => head + lines * line + 10

/**
 * Places stacks by what they are for; what is in them, and which of them there are, comes from the templates.
 *
 * @throws Error for a stack that has no place
 */
export function layoutOf ({ stacks }: Drawn): Layout {
  const known = new Map(stacks.map(stack => [stack.id, stack]))
  const unplaced = [...known.keys()].filter(id => !['Data', 'Network', 'Service', 'Gateway', 'Lambda', 'Batch', 'Training', 'Monitoring'].includes(id))
  if (unplaced.length > 0) throw new Error(`The stack ${unplaced.join(', ')} has no place in the diagram: give it one in diagram/layout.ts`)
  const lines = (id: string) => { const stack = known.get(id); return stack === undefined ? undefined : contents(stack.resources) }
  const cards: Card[] = []
  const place = (title: string, box: Omit<Box, 'height'>, of: readonly string[], more: Partial<Card> = {}): Card => {
    const card: Card = { title, ...box, height: heightOf(Math.ceil(of.length / (more.columns ?? 1))), lines: of, kind: 'stack', columns: 1, ...more }
    cards.push(card)
    return card
  }

  const callers = place('Callers', { x: lambda.x, y: margin, width: inner[0].x + inner[0].width - lambda.x }, ['HTTPS, with a JWT'], { kind: 'person' })
  const row1 = callers.y + callers.height + gap
  const gateway = known.has('Gateway') ? place('Gateway', { ...inner[0], y: row1 }, lines('Gateway')!) : undefined
  const row2 = row1 + (gateway ? gateway.height + gap : 0)
  const jobs = [lines('Service'), lines('Batch'), lines('Training')]
  const jobsHeight = heightOf(Math.max(...jobs.map(of => of?.length ?? 0)))
  const frame = known.has('Network') ? place('Network', { ...network, y: row2 }, lines('Network')!, { kind: 'network', columns: 4, height: 0 }) : undefined
  const frameHead = frame ? head + line * Math.ceil(frame.lines.length / 4) + 14 : 0
  const inside = { y: row2 + frameHead, height: jobsHeight }
  if (frame) cards[cards.indexOf(frame)] = { ...frame, height: frameHead + jobsHeight + 22 }
  const [service, batch, training] = ['Service', 'Batch', 'Training'].map((id, index) => known.has(id) ? place(id, { ...inner[index]!, y: inside.y }, lines(id)!, { height: inside.height }) : undefined)
  const frameEnd = inside.y + inside.height + (frame ? 22 : 0)
  const row3 = frameEnd + gap
  const data = place('Data', { x: margin, y: row3, width: network.x + network.width - margin }, lines('Data')!, { columns: 4 })
  const row4 = data.y + data.height + gap
  const files = place('Files', { x: inner[1].x, y: row4, width: inner[1].width }, ['uploads to the raw bucket'], { kind: 'person' })
  const approver = place('A person', { x: inner[2].x, y: row4, width: inner[2].width }, ['approves a new version'], { kind: 'person' })
  const functionCard = known.has('Lambda') ? place('Lambda', { ...lambda, y: row2 + frameHead }, lines('Lambda')!, { height: inside.height }) : undefined
  const monitoring = known.has('Monitoring') ? place('Monitoring', { ...watch, y: row2 }, lines('Monitoring')!, { height: frameEnd - row2 }) : undefined

  const vertical = (from: Card | undefined, to: Card | undefined, label: string, x: number, more: Partial<Arrow> = {}): Arrow[] => {
    if (!from || !to) return []
    const isDown = from.y < to.y
    return [{ from: [x, isDown ? from.y + from.height : from.y], to: [x, isDown ? to.y : to.y + to.height], label, labelSide: 'right', labelAt: 0.5, joins: [from.title, to.title], ...more }]
  }
  const middle = (card: Card | undefined, share = 0.5) => card ? card.x + card.width * share : 0
  const arrows = [
    ...vertical(callers, gateway ?? service, 'requests', middle(gateway ?? service)),
    ...vertical(callers, functionCard, 'requests', middle(functionCard)),
    ...vertical(gateway, service, 'through the VPC link', middle(gateway), { labelAt: gapShare(gateway, service) }),
    ...vertical(data, service, 'models', middle(service)),
    ...vertical(data, functionCard, 'models', middle(functionCard)),
    ...vertical(data, batch, 'files', middle(batch, 0.3), { labelSide: 'left' }),
    ...vertical(batch, data, 'predictions', middle(batch, 0.5)),
    ...vertical(data, training, 'transactions', middle(training, 0.4), { labelSide: 'left' }),
    ...vertical(training, data, 'versions', middle(training, 0.6)),
    ...vertical(files, data, 'start batch and training', middle(files, 0.12)),
    ...vertical(approver, data, 'promotes it to production', middle(approver, 0.12)),
    ...(monitoring && frame ? [{ from: [network.x + network.width, row2 + 90] as const, to: [watch.x, row2 + 90] as const, label: 'metrics', labelSide: 'above' as const, labelAt: 0.5, joins: ['Service', 'Monitoring'] as const }] : []),
  ]
  return { width: monitoring ? full : network.x + network.width + margin, height: files.y + files.height + margin, cards, arrows }
}

/** Where the middle of the gap under a card is, on the arrow that goes from it to another. */
function gapShare (from: Card | undefined, to: Card | undefined): number {
  return from && to ? gap / 2 / (to.y - from.y - from.height) : 0.5
}

import { parentPort } from 'node:worker_threads'
import { boostRounds, type BoostTask } from './boost-rounds.ts'
import { forestScratch, type ForestTask, growForestTree } from './forest.ts'
import { meetAt } from './rendezvous.ts'
import type { Tree } from './tree.ts'

/** What all threads of a crew are told at once. */
export type Work =
  /** `next` is the number of the next tree that nobody has begun. */
  | { readonly kind: 'forest', readonly task: ForestTask, readonly next: SharedArrayBuffer }
  | { readonly kind: 'boost', readonly task: BoostTask, readonly place: SharedArrayBuffer, readonly size: number }

export type Order = Work & { readonly index: number }

/** What a thread tells; after `done` it waits for the next order. */
export type Report =
  | { readonly kind: 'tree', readonly index: number, readonly tree: Tree }
  | { readonly kind: 'round', readonly done: number }
  | { readonly kind: 'trees', readonly trees: readonly Tree[] }
  | { readonly kind: 'done' }

function tell (report: Report, handedOver: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(report, handedOver)
}

function growTrees ({ task, next }: Extract<Work, { kind: 'forest' }>): void {
  const counter = new Int32Array(next)
  const scratch = forestScratch(task)
  for (;;) {
    const index = Atomics.add(counter, 0, 1)
    if (index >= task.params.trees) return
    const tree = growForestTree(task, index, scratch)
    tell({ kind: 'tree', index, tree }, buffersOf(tree))
  }
}

function buffersOf ({ feature, threshold, missingLeft, left, right, values }: Tree): ArrayBuffer[] {
  return [feature, threshold, missingLeft, left, right, values].map(({ buffer }) => buffer as ArrayBuffer)
}

/** All threads come to the same trees: the first one tells. */
function boost ({ task, place, size, index }: Extract<Order, { kind: 'boost' }>): void {
  const isTeller = index === 0
  const trees = boostRounds(task, meetAt(place, index, size), done => { if (isTeller) tell({ kind: 'round', done }) })
  if (isTeller) tell({ kind: 'trees', trees })
}

// What is thrown ends the thread, and with it the crew's work: who has given the order is told why.
parentPort?.on('message', (order: Order) => {
  if (order.kind === 'forest') growTrees(order)
  else boost(order)
  tell({ kind: 'done' })
})

import type { Contender } from './contenders.ts'

/** What every part is given. */
export interface Context {
  /** For what the bench writes while it runs; removed at its end. */
  readonly folder: string
  /** Opens every model of every server here. */
  readonly token: string
  readonly hasWrk: boolean
  readonly hasPython: boolean
  /** How often everything is measured, and for how long each time. */
  readonly rounds: number
  readonly seconds: number
  /** The million requests in full. */
  readonly long: boolean
  readonly progress: (text: string) => void
}

export interface Goal {
  readonly what: string
  readonly goal: string
  readonly measured: string
  readonly met: boolean
}

/** One row of the table: what was measured, and each contender's cell. */
export interface Row {
  readonly title: string
  readonly cells: Readonly<Partial<Record<Contender, string>>>
}

export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a chart of a part's figures shows. */
export interface Figures {
  /** CPU time per request at 64 connections. */
  readonly cpuUs: Readonly<Partial<Record<Contender, number>>>
  readonly connections: readonly number[]
  /** By number of connections, in their order. */
  readonly perSecond: Readonly<Partial<Record<Contender, readonly number[]>>>
}

export interface Result {
  readonly goals?: readonly Goal[]
  readonly rows?: readonly Row[]
  readonly tables?: readonly Table[]
  readonly figures?: Figures
}

export function atLeast (what: string, measured: number, goal: number): Goal {
  return { what, goal: `at least ${goal.toFixed(2)}`, measured: measured.toFixed(2), met: measured >= goal }
}

/** @param unit  with a space before it, if it has one */
export function atMost (what: string, measured: number, goal: number, unit: string, digits = 0): Goal {
  return { what, goal: `at most ${goal.toFixed(digits)}${unit}`, measured: `${measured.toFixed(digits)}${unit}`, met: measured <= goal }
}

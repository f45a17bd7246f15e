import type { TrainingEvents } from '../training/pipeline.ts'
import { count } from './batch-progress.ts'
import { clock, type ProgressBar, progressBar } from './progress-bar.ts'
import type { Terminal } from './verb.ts'

/** How a training goes: a bar where a person looks on, else a line for each model; nothing beside `--json`. */
export interface TrainProgress extends TrainingEvents {
  /** Leaves the last state of the bar standing. */
  readonly end: () => void
}

const silence: TrainProgress = { begin: () => {}, model: () => {}, tree: () => {}, end: () => {} }

export function trainProgress (terminal: Terminal, json: boolean): TrainProgress {
  if (json) return silence
  const state = new TrainState()
  const bar = progressBar(terminal, seconds => state.tell(seconds))
  return bar === undefined ? lines(terminal) : drawn(bar, state)
}

function lines ({ err }: Terminal): TrainProgress {
  let name = ''
  return {
    ...silence,
    begin: work => {
      name = work.name
      err(`${name}: ${count(work.rows, 'row')}, ${count(work.features, 'feature')}, ${count(work.trees, 'tree')}`)
    },
    model: what => { err(`${name}: fitting ${what}`) },
  }
}

function drawn (bar: ProgressBar, state: TrainState): TrainProgress {
  return {
    begin: work => { state.begin(work) },
    model: what => {
      state.model(what)
      bar.update()
    },
    tree: done => {
      state.trees = done
      bar.update()
    },
    end: bar.end,
  }
}

/** Every model is taken for as much work as any other. */
class TrainState {
  trees = 0
  #name = ''
  #what = ''
  #models = 1
  #begun = 0
  #treesOfModel = 1

  begin ({ name, models, trees }: Parameters<TrainingEvents['begin']>[0]): void {
    this.#name = name
    this.#models = models
    this.#treesOfModel = trees
  }

  model (what: string): void {
    this.#what = what
    this.#begun += 1
    this.trees = 0
  }

  tell (seconds: number): { share: number, text: string } {
    const share = Math.min(1, (Math.max(0, this.#begun - 1) + this.trees / this.#treesOfModel) / this.#models)
    const left = share > 0 && share < 1 ? `, ${clock(seconds / share - seconds)} left` : ''
    return { share, text: `${this.#name}: ${this.#what}, tree ${this.trees} of ${this.#treesOfModel}  ${clock(seconds)}${left}` }
  }
}

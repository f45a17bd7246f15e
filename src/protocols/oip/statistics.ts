interface Spent { readonly count: number, readonly seconds: number }

/** What is counted of a version. */
export interface Statistics {
  readonly name: string
  readonly version: string
  readonly lastRequestMs: number
  readonly rows: number
  readonly executions: number
  readonly success: Spent
  readonly failed: number
  readonly queue: Spent
  readonly input: Spent
  readonly infer: Spent
  readonly output: Spent
}

interface Duration { readonly count: number, readonly ns: number }

/** A version in the words of Triton's statistics extension. Nothing is cached, and times are not kept by the size of a batch. */
export function modelStat ({ name, version, lastRequestMs, rows, executions, success, failed, queue, input, infer, output }: Statistics) {
  return {
    name,
    version,
    last_inference: lastRequestMs,
    inference_count: rows,
    execution_count: executions,
    inference_stats: {
      success: duration(success),
      fail: { count: failed, ns: 0 },
      queue: duration(queue),
      compute_input: duration(input),
      compute_infer: duration(infer),
      compute_output: duration(output),
      cache_hit: none,
      cache_miss: none,
    },
    batch_stats: [],
  }
}

const none: Duration = { count: 0, ns: 0 }

function duration ({ count, seconds }: Spent): Duration {
  return { count, ns: Math.round(seconds * 1e9) }
}

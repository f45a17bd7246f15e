interface Timings { readonly validateMs: number, readonly preprocessMs: number, readonly queueMs: number, readonly runMs: number }

/** The field Server-Timing of an answer. */
export function serverTiming ({ validateMs, preprocessMs, queueMs, runMs }: Timings): string {
  return `validate;dur=${shortMs(validateMs + preprocessMs)}, queue;dur=${shortMs(queueMs)}, run;dur=${shortMs(runMs)}`
}

/** Microseconds are as far as the clock can be trusted. */
export function shortMs (ms: number): number {
  return Math.round(ms * 1000) / 1000
}

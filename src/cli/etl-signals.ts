const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Does work that can be given up, and gives it up at a signal. Once it has tidied up, the process ends by that signal, as if
 * there had been nothing to tidy.
 */
export async function untilSignal<T> (work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  const stop = (signal: NodeJS.Signals): void => {
    received = signal
    controller.abort()
  }
  for (const signal of signals) process.on(signal, stop)
  try {
    return await work(controller.signal)
  } finally {
    for (const signal of signals) process.off(signal, stop)
    if (received !== undefined) process.kill(process.pid, received)
  }
}

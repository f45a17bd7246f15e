/**
 * CPU time of one request by its number of rows, in microseconds: modelport's column of bench/RESULTS.md, with tokens,
 * limits, metrics and the access log. A test compares the two.
 */
export const cpuMicroseconds: readonly { readonly rows: number, readonly microseconds: number }[] = [
  { rows: 1, microseconds: 34.2 },
  { rows: 100, microseconds: 259 },
  { rows: 1000, microseconds: 1545 },
]

/** Bytes on the wire, taken from a `POST /predict` for iris with a token; TLS adds some 5 %, which is left out. */
export const bytes = {
  request: 560,
  response: 720,
  requestRow: 75,
  responseRow: 90,
  /** One line of the access log. */
  logLine: 264,
  /** One line of the gateway's access log. */
  gatewayLogLine: 300,
} as const

/** What nobody has measured yet: change it here, or with a flag where there is one. */
export const assumed = {
  /**
   * Time of a vCPU of Fargate or Lambda over the same work's time in the bench. 1.5 leaves room: a vCPU of Graviton is a core,
   * one of x64 half a core, and neither is the bench's machine.
   */
  cpuFactor: 1.5,
  /** Requests that share a connection to the load balancer. */
  requestsPerConnection: 100,
  /** Seconds that an idle connection stays open. */
  connectionSeconds: 60,
  /** What a warm function bills beside its CPU time: the runtime's own work, in milliseconds. */
  lambdaOverheadMs: 1,
  /** Cold starts in a million requests, and what each bills. */
  lambdaColdStartsPerMillion: 1000,
  lambdaColdStartMs: 1500,
  /** CloudWatch keeps logs compressed: stored bytes over bytes taken in. */
  logCompression: 0.15,
  /** Metrics that ECS sends of a cluster with one service and its tasks. */
  containerInsightsMetrics: 25,
  /** How often a server looks for new versions: MODELS_POLL_SECONDS of its task. */
  pollSeconds: 60,
  storedGb: 5,
  imageGb: 1,
} as const

/**
 * Straight lines between the measured sizes; beyond the last, its slope.
 *
 * @returns microseconds of the bench's CPU
 */
export function cpuOf (rowsPerRequest: number): number {
  const above = cpuMicroseconds.findIndex(({ rows }) => rows >= rowsPerRequest)
  const index = Math.max(1, above === -1 ? cpuMicroseconds.length - 1 : above)
  const from = cpuMicroseconds[index - 1]!
  const to = cpuMicroseconds[index]!
  return from.microseconds + (rowsPerRequest - from.rows) * (to.microseconds - from.microseconds) / (to.rows - from.rows)
}

import { expect, test } from 'vitest'
import { readEmf } from '../monitor/emf-line.ts'
import { send } from '../helpers/http.ts'
import { flowerFiles, repository } from '../helpers/models.ts'
import { startProcess } from '../helpers/process.ts'

const row = JSON.stringify({ length: 6, kind: 'red' })
const requests = 30

test.each(['1', '2'])('METRICS_EMF writes what %s server process(es) counted, at every interval and at the end, each count once', async processes => {
  const { path, remove } = await repository({ 'flower/1.0.0': flowerFiles() })
  const server = startProcess({ MODELS_DIR: path, AUTH: 'off', HTTP_WORKERS: processes, METRICS_EMF: 'team/flowers', METRICS_EMF_SECONDS: '1' })
  try {
    const [, port = ''] = await server.until(/localhost:(\d+)\/docs/)
    const predict = async (): Promise<void> => { expect((await send(undefined, port, 'POST', '/predict', row)).status).toBe(200) }
    await Promise.all(Array.from({ length: requests / 2 }, predict))
    // The first that tells of a request; ServiceReady is in the lines of an interval only.
    await server.until(/"ServiceReady":1/)
    await Promise.all(Array.from({ length: requests / 2 }, predict))
    server.child.kill('SIGTERM')
    expect(await server.exit()).toBe(0)
    const lines = server.stdout().trim().split('\n').filter(line => line.startsWith('{"_aws"')).map(line => readEmf(`${line}\n`, 'team/flowers'))
    const sum = (name: string): number => lines.reduce((total, { values }) => total + Number(values[name] ?? 0), 0)
    expect([sum('Requests'), sum('RequestsOk'), sum('Rows'), sum('HttpRequests'), sum('Predictions')]).toEqual([requests, requests, requests, requests, requests])
    expect(lines.some(({ values }) => Number(values['ResidentMemory']) > 1e6)).toBe(true)
  } finally {
    await server.stop()
    await remove()
  }
})

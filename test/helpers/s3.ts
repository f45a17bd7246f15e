import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { FakeS3 } from './fake-s3.ts'
import { freePort } from './free-port.ts'

/** What any AWS tool looks at, for a server of ours. */
export function awsEnv (url: string): Record<string, string> {
  return { AWS_ENDPOINT_URL_S3: url, AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret' }
}

/** Lets the code under test, in this process, speak to a server of ours until it is undone. */
export function useS3 (url: string): () => void {
  const env = { ...awsEnv(url), AWS_PROFILE: '', AWS_SESSION_TOKEN: '', AWS_CONFIG_FILE: '/nonexistent', AWS_SHARED_CREDENTIALS_FILE: '/nonexistent' }
  const before = Object.keys(env).map(name => [name, process.env[name]] as const)
  for (const [name, value] of Object.entries(env)) {
    if (value === '') delete process.env[name]
    else process.env[name] = value
  }
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}

/** A fake for one test. */
export async function fakeS3 (): Promise<FakeS3> {
  const fake = await FakeS3.start()
  const undo = useS3(fake.url)
  onTestFinished(async () => {
    undo()
    await fake.stop()
  })
  return fake
}

export interface S3Server { readonly url: string, readonly stop: () => Promise<void> }

/** The name of an installed moto_server; undefined, and a word why, where there is none. */
export function motoServer (): string | undefined {
  try {
    execFileSync('moto_server', ['--help'], { stdio: 'ignore' })
    return 'moto_server'
  } catch {
    console.warn('S3: moto_server is not installed (pip install "moto[server]"): its half of the tests is skipped')
    return undefined
  }
}

/** Another implementation of S3 than ours. */
export async function startMoto (): Promise<S3Server> {
  const port = await freePort()
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', `${port}`], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const isUp = async (): Promise<boolean> => await fetch(`${url}/moto-api/`).then(({ ok }) => ok, () => false)
  while (!await isUp()) {
    if (child.exitCode !== null) throw new Error(`moto_server ended with ${child.exitCode}`)
    await delay(50)
  }
  return {
    url,
    stop: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

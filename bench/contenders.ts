import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { script } from './processes.ts'
import type { Launch } from './server.ts'

/** The columns of the table, in its order. */
export const contenders = {
  http: 'node:http',
  fastify: 'Fastify',
  modelport: 'modelport',
  quiet: 'modelport, ACCESS_LOG=off',
  two: 'modelport, two processes',
  fastapi: 'FastAPI, scikit-learn',
  floor: 'no server at all',
} as const

export type Contender = keyof typeof contenders

export const jwtSecret = 'a secret that only this bench knows'

/** Everything on; a limit that nobody reaches is counted all the same. */
const everythingOn = { NODE_ENV: 'production', JWT_SECRET: jwtSecret, RATE_LIMIT_MAX: '1000000000', HTTP_WORKERS: '1' }

/** The built server with everything on, and what is different. */
export function modelport (different: Readonly<Record<string, string>> = {}, nodeFlags: readonly string[] = []): Launch {
  return {
    name: 'modelport',
    program: port => ({ command: process.execPath, args: [...nodeFlags, 'dist/main.js'], env: { ...everythingOn, PORT: String(port), ...different } }),
    readyPath: '/health/ready',
  }
}

/** Answers from a file, by number of rows. */
export function bare (peer: 'node-http' | 'fastify', answersFile: string): Launch {
  const file = fileURLToPath(new URL(`peers/${peer}.ts`, import.meta.url))
  return {
    name: peer,
    program: port => ({ ...script(file, [String(port), answersFile]), env: { NODE_ENV: 'production' } }),
    readyPath: '/health',
  }
}

const python = '/usr/bin/python3'

/** As uvicorn starts without options, its access log included. */
export const fastapi: Launch = {
  name: 'fastapi',
  program: port => ({
    command: python,
    args: ['-m', 'uvicorn', '--app-dir', fileURLToPath(new URL('peers', import.meta.url)), 'fastapi_app:app', '--port', String(port)],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  }),
  readyPath: '/health',
}

/** What the Python program runs on; undefined where Debian's packages for it are missing. */
export function pythonVersions (): string | undefined {
  const code = `
import importlib, platform, fastapi, uvicorn, sklearn
def loop(name):
    try: importlib.import_module(name); return name
    except ImportError: return 'no ' + name
print(f"Python {platform.python_version()}, FastAPI {fastapi.__version__}, uvicorn {uvicorn.__version__} ({loop('uvloop')}, {loop('httptools')}), scikit-learn {sklearn.__version__}")`
  const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

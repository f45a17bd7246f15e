import { parseArgs } from 'node:util'
import { serve } from '../serve.ts'
import type { Verb } from './verb.ts'

export const serveVerb: Verb = {
  name: 'serve',
  summary: 'Serve the model repository over HTTP',
  help: `Usage: modelport serve [--models FOLDER] [--port N] [--host ADDRESS]

Serves every sound version of the model repository until a signal. All other settings are
environment variables; .env.example lists them.

  --models FOLDER  the model repository (MODELS_DIR, default ./models)
  --port N         port to listen on (PORT, default 8000)
  --host ADDRESS   address to listen on (HOST, default 127.0.0.1)

Example:
  modelport serve --models ./models --port 8000
`,
  run: async (args, { env }) => {
    const { values } = parseArgs({
      args: [...args],
      options: { models: { type: 'string' }, port: { type: 'string' }, host: { type: 'string' } },
    })
    const given = Object.entries({ MODELS_DIR: values.models, PORT: values.port, HOST: values.host }).filter(([, value]) => value !== undefined)
    await serve({ ...env, ...Object.fromEntries(given) })
  },
}

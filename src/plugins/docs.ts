import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { stringify } from 'yaml'
import type { Config } from '../config.ts'
import { type DocumentedModel, type OpenApiDocument, expandDocument } from '../schemas/openapi.ts'
import { securitySchemes } from '../schemas/openapi-components.ts'
import type { BodyExamples } from '../schemas/openapi-protocols.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For the document, as OpenAPI has it: a body that the route reads and checks itself. */
    requestBody?: { readonly content: Readonly<Record<string, object>> }
    /** In whose words the document shows rows of the loaded models as examples of that body. */
    bodyExamples?: BodyExamples
  }
  interface FastifyInstance {
    /** What the routes say of themselves, before the models are filled in. */
    documentedRoutes: FastifyInstance['swagger']
  }
}

export interface DocsOptions {
  config: Pick<Config, 'auth' | 'maxRows'>
  /** The versions that are loaded now. */
  describe: () => readonly DocumentedModel[]
  /** The release of the server. */
  version: string
}

const title = 'modelport'
const about = [
  'Models as an API. A row is an object by feature name, `{"features": [...]}` in the order of the features, or `{"features": {...}}`;',
  'many rows are `{"instances": [row, ...]}`, CSV or NDJSON. Errors are `application/problem+json` and list every fault of the input.',
].join(' ')

/**
 * `GET /docs` (Swagger UI), `/docs/json`, `/docs/yaml` and `/redoc`, all open and without a request to
 * another host. Collects every route registered after it; `app.swagger()` is the document of the
 * routes and the models loaded at that moment.
 */
export default fp<DocsOptions>(async (app, options) => {
  await collectRoutes(app, options.version)
  const current = documentOf(app, options)
  app.decorate('swagger', ((format?: { yaml?: boolean }) => format?.yaml === true ? current().yaml() : current().json) as FastifyInstance['swagger'])
  app.register(async pages => {
    await pageHeaders(pages)
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      theme: { title },
      uiConfig: {
        // Without the bar on top, which would ask for the address of another document.
        layout: 'BaseLayout',
        deepLinking: true,
        displayRequestDuration: true,
        persistAuthorization: true,
        tryItOutEnabled: true,
        defaultModelsExpandDepth: 0,
        requestInterceptor: unquoteLines as never,
      },
    })
    redocRoutes(pages)
  })
}, { name: 'docs', fastify: '5.x' })

async function collectRoutes (app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    // `swagger`, which Swagger UI serves, is the document with the models.
    decorator: 'documentedRoutes',
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description: about, license: { name: 'MIT', identifier: 'MIT' } },
      // Relative, so that it is right behind any proxy.
      servers: [{ url: '/' }],
      components: { securitySchemes },
    },
    transform: ({ schema, url, route }) => {
      const { scope, errors, requestBody, bodyExamples } = route.config ?? {}
      return {
        url,
        schema: {
          ...schema,
          ...(scope === undefined ? {} : { security: [{ bearer: [scope] }] }),
          ...(errors === undefined ? {} : { 'x-errors': errors }),
          ...(requestBody === undefined ? {} : { 'x-request-body': requestBody, 'x-body-examples': bodyExamples }),
        },
      }
    },
  })
}

interface Current { json: ReturnType<FastifyInstance['swagger']>, yaml: () => string }

/** Makes the document anew only when other models are loaded: it takes longer than a prediction. */
function documentOf (app: FastifyInstance, { config, describe }: DocsOptions): () => Current {
  let models: readonly DocumentedModel[] | undefined
  let current: Current | undefined
  return () => {
    const loaded = describe()
    if (current === undefined || models === undefined || !sameModels(models, loaded)) {
      models = [...loaded]
      current = makeDocument(app, models, config)
    }
    return current
  }
}

function makeDocument (app: FastifyInstance, models: readonly DocumentedModel[], { auth, maxRows }: DocsOptions['config']): Current {
  const routes = app.documentedRoutes() as unknown as OpenApiDocument
  const json = expandDocument(routes, models, { auth: auth === 'jwt', maxRows }) as unknown as Current['json']
  let yaml: string | undefined
  return { json, yaml: () => (yaml ??= stringify(json, { aliasDuplicateObjects: false })) }
}

function sameModels (a: readonly DocumentedModel[], b: readonly DocumentedModel[]): boolean {
  return a.length === b.length && a.every((model, i) =>
    model.manifest === b[i]?.manifest && model.isDefault === b[i]?.isDefault && model.isServing === b[i]?.isServing)
}

/** Puts a policy under which a page can run in place of the API's, which allows nothing. */
async function pageHeaders (pages: FastifyInstance): Promise<void> {
  pages.addHook('onRequest', (_request, reply, done) => {
    reply.removeHeader('content-security-policy')
    done()
  })
  await pages.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'base-uri': ["'none'"],
        'connect-src': ["'self'"],
        'font-src': ["'self'", 'data:'],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
        'img-src': ["'self'", 'data:'],
        'script-src': ["'self'"],
        // Both pages write their styles from scripts.
        'style-src': ["'self'", "'unsafe-inline'"],
        // ReDoc searches in a worker of its own.
        'worker-src': ['blob:'],
      },
    },
    // Browsers ignore these two over plain HTTP, with an error in the console.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    // The security plugin decides this one for every answer.
    strictTransportSecurity: false,
  })
}

/** Runs in the browser: Swagger UI writes the example of a type with "json" in its name as a JSON string. */
function unquoteLines (request: { body?: unknown, headers: Record<string, string> }): unknown {
  const { body, headers } = request
  if (headers['Content-Type'] === 'application/x-ndjson' && typeof body === 'string' && body.startsWith('"')) request.body = JSON.parse(body)
  return request
}

function redocRoutes (pages: FastifyInstance): void {
  const schema = { hide: true }
  const path = redocPath()
  let bundle: Promise<{ script: Buffer, etag: string }> | undefined

  pages.get('/redoc', { schema }, async (_request, reply) => reply.type('text/html; charset=utf-8').send(redocPage))
  // From there the page's relative addresses would lead astray.
  pages.get('/redoc/', { schema }, async (_request, reply) => reply.redirect('../redoc'))
  pages.get('/redoc/redoc.standalone.js', { schema }, async (request, reply) => {
    const { script, etag } = await (bundle ??= readRedoc(path))
    reply.headers({ etag, 'cache-control': 'public, max-age=0' })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type('text/javascript; charset=utf-8').send(script)
  })
}

/** In the build beside the code; running from source, in the development package. */
function redocPath (): string {
  const built = fileURLToPath(new URL('./assets/redoc.standalone.js', import.meta.url))
  return existsSync(built) ? built : createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js')
}

/** ReDoc without the picture that it would fetch from its maker's host. */
async function readRedoc (path: string): Promise<{ script: Buffer, etag: string }> {
  const text = await readFile(path, 'utf8')
  const script = Buffer.from(text.replaceAll('https://cdn.redoc.ly/redoc/logo-mini.svg', 'data:,'))
  return { script, etag: `"${createHash('sha256').update(script).digest('base64url')}"` }
}

const redocTheme = JSON.stringify({
  typography: { fontFamily: 'system-ui, sans-serif', headings: { fontFamily: 'system-ui, sans-serif' } },
})

const redocPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" type="image/png" sizes="32x32" href="docs/static/favicon-32x32.png">
<style>body { margin: 0 }</style>
</head>
<body>
<redoc spec-url="docs/json" sanitize theme='${redocTheme}'></redoc>
<script src="redoc/redoc.standalone.js"></script>
</body>
</html>
`

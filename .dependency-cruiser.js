import { allExtensions } from 'dependency-cruiser'

// With a TypeScript it does not know, dependency-cruiser skips every .ts file and finds nothing wrong in nothing.
if (!allExtensions.some(({ extension, available }) => extension === '.ts' && available)) {
  throw new Error('dependency-cruiser cannot read .ts files with the TypeScript that is installed: `npx depcruise --info` says which it knows')
}

/** What every layer may build on: these import nothing of ours themselves. */
const leaves = '^src/(errors|tensor|row)\\.ts$'

/**
 * The modules in `from` may import each other, the leaves and `allowed`, and nothing else of ours.
 */
function layer (name, from, allowed, comment) {
  return { name, severity: 'error', comment, from: { path: from }, to: { path: '^src/', pathNot: [from, leaves, ...allowed] } }
}

/** Only the modules in `doors` may import `target`. */
function door (name, target, doors, comment) {
  return { name, severity: 'error', comment, from: { path: '^src/', pathNot: doors }, to: { path: target } }
}

/** An outside package, wherever npm has put it, installed or not. */
function npm (name) {
  return `(^|node_modules/)${name}(/|$)`
}

export default {
  forbidden: [
    {
      name: 'leaves-import-nothing',
      severity: 'error',
      comment: 'errors.ts, tensor.ts and row.ts are what all layers share. Move what they would need into the layer that needs it.',
      from: { path: leaves },
      to: { path: '^src/' },
    },
    layer('config-stands-alone', '^src/config[^/]*\\.ts$', [],
      'config reads the environment and nothing else. What a setting leads to belongs to app.ts.'),
    layer('preprocess-knows-no-engine', '^src/preprocess/', [],
      'preprocess turns rows into numbers. Hand it what it needs as arguments; serving puts it before the engine.'),
    layer('engine-knows-no-model', '^src/engine/', [],
      'engine turns numbers into numbers. Features, labels and settings reach it as tensors and plain options from serving.'),
    layer('artifact-is-only-files', '^src/artifact/', ['^src/preprocess/spec\\.ts$'],
      'artifact reads and writes a version folder. To compile or run what is in it, start from serving.'),
    layer('monitor-counts-only', '^src/monitor/', ['^src/artifact/(manifest|baseline)\\.ts$'],
      'monitor is pure functions over counts. Let a plugin hand it what happened (onPrediction).'),
    layer('schemas-come-from-the-manifest', '^src/schemas/', ['^src/artifact/manifest\\.ts$'],
      'A schema follows from the manifest alone. Put what else it needs into the manifest, or into the caller.'),
    layer('serving-knows-no-http', '^src/serving/', ['^src/(artifact|preprocess|engine|schemas)/'],
      'serving is the one door for HTTP, Lambda and the command line: no monitor, no plugin, no Config. Take options and callbacks.'),
    layer('auth-stands-alone', '^src/auth/', ['^src/config\\.ts$'],
      'auth makes and checks tokens. What Fastify needs of it is in plugins/auth.ts.'),
    layer('plugins-are-one-concern', '^src/plugins/', ['^src/(serving|monitor|schemas|auth)/', '^src/(config|peers)\\.ts$'],
      'A plugin joins one concern to Fastify: serving, monitor, schemas. Files, tensors and preprocessing are behind serving.'),
    {
      name: 'plugins-take-options',
      severity: 'error',
      comment: 'A plugin may name the type Config, but app.ts hands it the values: import type.',
      from: { path: '^src/plugins/' },
      to: { path: '^src/config\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    door('auth-has-few-users', '^src/auth/', ['^src/(auth|cli)/', '^src/plugins/auth[^/]*$', '^src/(app|serve|lambda)\\.ts$'],
      'Ask the request who calls (plugins/auth.ts) instead of reading tokens again.'),
    layer('processes-only-supervise', '^src/processes/', ['^src/monitor/snapshot\\.ts$', '^src/(config|peers)\\.ts$'],
      'A primary answers no request and loads nothing of the server: server.ts joins the two.'),
    layer('protocols-only-translate', '^src/protocols/', ['^src/schemas/', '^src/artifact/manifest\\.ts$'],
      'A protocol is a wire format and our types, nothing else. What HTTP adds to it belongs to its route.'),
    layer('lambda-only-translates', '^src/lambda/', ['^src/schemas/protocol-errors\\.ts$'],
      'A function\'s events become requests here, and answers its results; src/lambda.ts hands it the app.'),
    layer('routes-only-route', '^src/routes/', ['^src/(schemas|protocols)/'],
      'A route is a schema and a handler of a few lines. All else comes decorated: app.inference, request.user and so on.'),
    door('protocols-are-for-routes', '^src/protocols/', ['^src/(protocols|routes|cli)/'],
      'Inside there is one form for tensors and rows; other forms end at the routes and at the command line.'),
    door('app-composes', '^src/(plugins|routes)/', ['^src/app\\.ts$', '^src/(plugins|routes)/'],
      'Register it in app.ts, so that the order of plugins and routes stands in one place.'),
    door('entries-start-the-app', '^src/app\\.ts$', ['^src/(server|lambda)\\.ts$'],
      'Only who starts a server builds the app. Reach what is in it through the decorations that app.ts makes.'),
    door('serve-is-for-entries', '^src/serve\\.ts$', ['^src/main\\.ts$', '^src/cli/'],
      'A process serves once: only its entry point, or the command that stands for it, starts that.'),
    door('server-is-for-serve', '^src/server\\.ts$', ['^src/serve\\.ts$'],
      'serve.ts decides whether this process is a server or the primary of several.'),
    {
      name: 'entries-are-entries',
      severity: 'error',
      comment: 'An entry point runs when it is loaded. Import what it calls instead.',
      from: { path: '^src/' },
      to: { path: '^src/(main|lambda|cli/main)\\.ts$' },
    },
    door('commands-end-at-the-command-line', '^src/cli/', ['^src/cli/'],
      'cli parses flags and prints. Move what others need out of it.'),
    door('no-training-in-the-server', '^src/(training|etl|batch|import|report|catalog|jobs)/', ['^src/(cli|training|etl|batch|import|report|catalog|jobs)/'],
      'The server never trains, cleans or imports. Share code by moving it down into artifact, preprocess or serving.'),
    layer('onnx-is-only-protobuf', '^src/onnx/', [],
      'onnx builds graphs out of operators. What the graph means belongs to training.'),
    door('onnx-is-for-makers', '^src/onnx/', ['^src/(onnx|training|import)/'],
      'Only who makes a model reads or writes its protobuf. The server leaves that to the runtime.'),
    layer('training-needs-no-server', '^src/(training|etl|batch|import|report|catalog|jobs)/',
      ['^src/(training|etl|batch|import|report|catalog|jobs|onnx|artifact|preprocess|engine|serving|schemas|monitor)/'],
      'A command takes plain arguments from cli and writes files; it starts no app and reads no settings.'),
    door('one-door-onnxruntime', npm('onnxruntime-(node|common)'), ['^src/engine/session\\.ts$'],
      'Use the Session of engine/session.ts: it sets the threads, turns telemetry off and frees what it holds.'),
    door('one-door-ioredis', npm('ioredis'), ['^src/plugins/rate-limit[^/]*$'],
      'Redis is for the shared rate limit only, and must never make a request wait: see plugins/rate-limit.'),
    door('one-door-protobuf', npm('@bufbuild'), ['^src/onnx/'],
      'Build graphs with src/onnx.'),
    door('one-door-duckdb', npm('@duckdb'), ['^src/etl/database\\.ts$'],
      'DuckDB is optional and not in the image: open it with etl/database.ts, which says so where it is missing.'),
    door('one-door-aws', npm('(@aws-sdk|@smithy)'), ['^src/artifact/s3-sdk\\.ts$'],
      'openBucket of src/artifact/s3.ts is what speaks to S3: it sets time limits and conditions, and tells errors in our words.'),
    door('one-door-fastify', `${npm('(fastify|fastify-plugin|@fastify)')}|^(node:)?https?$`, ['^src/(plugins|routes|auth|lambda)/', '^src/(app|server|lambda|log|observe)\\.ts$'],
      'HTTP ends at plugins and routes: below them, take plain values and an AbortSignal.'),
    {
      name: 'production-packages-only',
      severity: 'error',
      comment: 'The image has no devDependencies: move the package to dependencies, or do without.',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'There is no such module: the path is wrong or the package is missing from package.json.',
      from: { path: '^src/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Modules that need each other are one module, or a third one is missing that both may import.',
      from: { path: '^src/' },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}

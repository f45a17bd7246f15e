import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from '../errors.ts'
import { type Answered, classNames } from '../protocols/answered.ts'
import type { Asked, Signature } from '../protocols/asked.ts'
import { parseBody } from '../protocols/json-body.ts'
import { type PredictMethod, readMlflow } from '../protocols/mlflow.ts'
import { writeMlflow } from '../protocols/mlflow-answer.ts'
import { type AnswerFormat, chooseAnswer, headerOf, readCsv, readJsonLines } from '../protocols/sagemaker.ts'
import { writeCsv, writeJsonLines } from '../protocols/sagemaker-answer.ts'
import type { CsvHeader } from '../schemas/csv.ts'
import { ExecutionParametersSchema, invocationsBody, invocationsAnswer } from '../schemas/invocations.ts'
import { type Model, ask, signatureOf } from './ask.ts'
import { addTextBody } from './predict-bodies.ts'

export interface InvocationsOptions {
  /** The release, for GET /version. */
  readonly version: string
  readonly maxRows: number
  /** Largest body, in bytes. */
  readonly bodyLimit: number
  /** Requests that run at the same time. */
  readonly parallel: number
  /** SageMaker started the server, and means its platform's ways where the two differ. */
  readonly sagemaker: boolean
}

/** A body in one of the kinds of /invocations. */
type Body =
  | { readonly kind: 'json', readonly body: unknown }
  | { readonly kind: 'jsonlines', readonly text: string }
  | { readonly kind: 'csv', readonly text: string, readonly header: CsvHeader }

interface Route { Body: Body | undefined }

const about = { tags: ['MLflow and SageMaker'] }

/** What MLflow's scoring server and SageMaker's containers answer, for the default model. */
export async function invocationRoutes (app: FastifyInstance, options: InvocationsOptions): Promise<void> {
  const { maxRows, sagemaker } = options
  const protocol = sagemaker ? 'sagemaker' : 'mlflow'
  addBodies(app, sagemaker ? 'detect' : 'present')
  stateRoutes(app, options)

  app.post<Route>('/invocations', {
    config: { scope: 'predict', errors: 'mlflow', requestBody: invocationsBody },
    schema: { ...about, summary: 'Predict with the default model, as MLflow and SageMaker do', response: { 200: invocationsAnswer } },
  }, async (request: FastifyRequest<Route>, reply) => {
    const format = chooseAnswer(request.headers.accept)
    const model = app.inference.registry.resolve({})
    request.answeredBy = model.manifest
    const { asked, method } = app.inference.read(model, protocol, () => read(request.body, signatureOf(model, maxRows)))
    return send(reply, await ask(reply, model, asked, protocol), { format, method, model })
  })
}

function stateRoutes (app: FastifyInstance, { version, bodyLimit, parallel }: InvocationsOptions): void {
  app.get('/ping', {
    config: { errors: 'mlflow' },
    schema: { ...about, summary: 'Whether predictions can be answered', response: { 200: nothing('They can'), 503: nothing('Not yet, or no more') } },
  }, async (_request, reply) => await reply.code(app.serviceReady() ? 200 : 503).type('text/plain; charset=utf-8').send(''))

  app.get('/version', {
    schema: { ...about, summary: 'The release of the server', response: { 200: { description: 'As plain text', content: { 'text/plain': { schema: { type: 'string', example: version } } } } } },
  }, async (_request, reply) => await reply.type('text/plain; charset=utf-8').send(version))

  const megabytes = Math.min(100, Math.max(1, Math.floor(bodyLimit / 2 ** 20)))
  app.get('/execution-parameters', {
    schema: { ...about, summary: 'What SageMaker\'s batch transform may send at once', response: { 200: ExecutionParametersSchema } },
  }, async () => ({
    // SageMaker wants the two to come to no more than 100 MB.
    MaxConcurrentTransforms: Math.max(1, Math.min(parallel, Math.floor(100 / megabytes))),
    BatchStrategy: 'MULTI_RECORD' as const,
    MaxPayloadInMB: megabytes,
  }))
}

/** An answer that its status says all of. */
function nothing (description: string): object {
  return { description, content: { 'text/plain': { schema: { type: 'string' } } } }
}

function addBodies (app: FastifyInstance, header: CsvHeader): void {
  app.removeAllContentTypeParsers()
  addTextBody(app, 'application/json', (text): Body => ({ kind: 'json', body: parseBody(text) }))
  for (const type of ['application/jsonlines', 'application/x-ndjson']) addTextBody(app, type, (text): Body => ({ kind: 'jsonlines', text }))
  for (const type of ['text/csv', 'application/csv']) addTextBody(app, type, (text, written): Body => ({ kind: 'csv', text, header: headerOf(written, header) }))
}

function read (body: Body | undefined, signature: Signature): { asked: Asked, method: PredictMethod } {
  switch (body?.kind) {
    case undefined: throw new ApiError('NOT_JSON', 'The body is empty.')
    case 'json': return readMlflow(body.body, signature)
    case 'jsonlines': return { asked: readJsonLines(body.text, signature), method: 'predict' }
    case 'csv': return { asked: readCsv(body.text, body.header, signature), method: 'predict' }
    default: return body satisfies never
  }
}

interface Answering { readonly format: AnswerFormat, readonly method: PredictMethod, readonly model: Model }

function send (reply: FastifyReply, answered: Answered, { format, method, model: { manifest, engine } }: Answering): FastifyReply {
  const className = classNames(manifest, engine.outputs)
  switch (format) {
    case 'json': return reply.type('application/json; charset=utf-8').send(writeMlflow(answered, method, className))
    case 'jsonlines': return reply.type('application/jsonlines; charset=utf-8').send(writeJsonLines(answered))
    case 'csv': return reply.type('text/csv; charset=utf-8').send(writeCsv(answered, className))
    default: return format satisfies never
  }
}

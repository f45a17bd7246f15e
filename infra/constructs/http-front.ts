import { CfnOutput, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { HttpApi, HttpMethod, HttpNoneAuthorizer, type HttpRouteIntegration, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'

/** What the server answers without a token: health, the documents, and what other protocols ask before they begin. */
export const openPaths = ['/health', '/health/{proxy+}', '/docs', '/docs/{proxy+}', '/redoc', '/ping', '/version', '/v2', '/v2/health/{proxy+}'] as const

interface HttpFrontProps {
  name: string
  auth: EnvironmentConfig['auth']
  integration: HttpRouteIntegration
  requestsPerSecond: number
  burst: number
  logRetentionDays: number
}

/** An HTTP API before the server: TLS, throttling, an access log, and tokens checked before they cost anything where API Gateway can check them. */
export class HttpFront extends Construct {
  readonly api: HttpApi
  readonly stage: HttpStage
  readonly accessLog: LogGroup

  constructor (scope: Construct, id: string, props: HttpFrontProps) {
    super(scope, id)
    const { auth, integration } = props
    // API Gateway takes public keys from the issuer's own discovery document, and knows no shared secrets (HS256):
    // with one, all come through and the server decides, as it does again about every token that was let in here.
    const authorizer = auth.kind === 'jwks' ? new HttpJwtAuthorizer('Tokens', auth.issuer, { jwtAudience: [auth.audience] }) : undefined
    this.api = new HttpApi(this, 'Api', {
      apiName: props.name,
      createDefaultStage: false,
      defaultIntegration: integration,
      ...(authorizer && { defaultAuthorizer: authorizer }),
    })
    if (authorizer) this.#open(integration)
    this.accessLog = new LogGroup(this, 'AccessLog', { retention: props.logRetentionDays as RetentionDays, removalPolicy: RemovalPolicy.DESTROY })
    this.stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      detailedMetricsEnabled: true,
      throttle: { rateLimit: props.requestsPerSecond, burstLimit: props.burst },
      accessLogSettings: { destination: new LogGroupLogDestination(this.accessLog), format: accessLogFormat },
    })
    Validations.of(this.api).acknowledge({
      id: 'AwsSolutions-APIG4',
      reason: authorizer
        ? 'Only health, documents and the like are without an authorizer; the server asks for no token there either.'
        : 'Tokens are signed with a shared secret, which API Gateway cannot verify: the server does, on every route that needs one.',
    })
    new CfnOutput(this, 'Url', { value: this.api.apiEndpoint, description: 'Address of the API' }) // eslint-disable-line no-new
  }

  #open (integration: HttpRouteIntegration): void {
    for (const path of openPaths) {
      this.api.addRoutes({ path, methods: [HttpMethod.GET], integration, authorizer: new HttpNoneAuthorizer() })
    }
  }
}

/** One JSON object a line. No header and no query string: a token may be in either. */
const accessLogFormat = AccessLogFormat.custom(JSON.stringify({
  requestId: '$context.requestId',
  time: '$context.requestTimeEpoch',
  address: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  route: '$context.routeKey',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  integrationLatencyMs: '$context.integrationLatency',
  bytes: '$context.responseLength',
  authorizerError: '$context.authorizer.error',
  error: '$context.error.message',
}))

import { Duration, RemovalPolicy, SecretValue, Size, Stack, type StackProps } from 'aws-cdk-lib'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import { mayRead, objectsBelow } from '../constructs/bucket-access.ts'
import { functionRole } from '../constructs/function-role.ts'
import { HttpFront } from '../constructs/http-front.ts'
import { lambdaPackage } from '../constructs/lambda-package.ts'
import { explainWildcards } from '../constructs/reasoned-wildcards.ts'
import { modelStore, modelsPrefix, serverEnvironment } from '../constructs/server-environment.ts'
import { timeouts } from '../constructs/timeouts.ts'
import type { DataStack } from './data.ts'

interface LambdaProps extends StackProps {
  environment: string
  config: EnvironmentConfig
  /** The part of the configuration that is on. */
  lambda: On<EnvironmentConfig['lambda']>
  data: DataStack
  /** What `npm run package:lambda` made. */
  packageFolder: string
}

/** The same API as a function: nothing to pay while nobody calls. */
export class LambdaStack extends Stack {
  readonly front: HttpFront
  readonly function: LambdaFunction
  readonly logGroup: LogGroup

  constructor (scope: Construct, id: string, props: LambdaProps) {
    super(scope, id, props)
    const { environment, config, lambda, data } = props
    this.logGroup = new LogGroup(this, 'Log', { retention: config.monitoring.logRetentionDays as RetentionDays, removalPolicy: RemovalPolicy.DESTROY })
    const key = data.jwtSecret && this.#environmentKey()
    const role = this.#functionRole(props, key)
    const { code, handler } = lambdaPackage(this, props.packageFolder, config.architecture)
    this.function = new LambdaFunction(this, 'Function', {
      description: 'modelport: predictions over HTTP',
      runtime: Runtime.NODEJS_24_X,
      architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code,
      handler,
      memorySize: lambda.memoryMiB,
      // Copies of the models; without them the 512 MiB that cost nothing.
      ...(lambda.models === 's3' && { ephemeralStorageSize: Size.gibibytes(2) }),
      timeout: timeouts.gateway,
      ...(lambda.reservedConcurrency !== undefined && { reservedConcurrentExecutions: lambda.reservedConcurrency }),
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      role: role.withoutPolicyUpdates(),
      ...(key && { environmentEncryption: key }),
      environment: {
        ...serverEnvironment(environment, config),
        ...(lambda.models === 's3' && modelStore(data.models)),
        REQUEST_TIMEOUT_MS: String(timeouts.request.toMilliseconds()),
        // CloudFormation puts the secret in as it deploys, and the template holds a reference. The server reads settings, not services: asking Secrets Manager
        // as it starts would be a client and a network call more in every cold start. Who may read the function's settings still cannot read this one without
        // the key. Where that is not enough, JWKS needs no secret at all. CloudFormation asks again only where the template changes: by the secret's version.
        ...(data.jwtSecret && { JWT_SECRET: SecretValue.secretsManager(data.jwtSecret.secretArn, data.jwtSecretVersion === undefined ? {} : { versionId: data.jwtSecretVersion }).unsafeUnwrap() }),
      },
    })
    this.front = new HttpFront(this, 'Front', {
      name: `modelport-${environment}-lambda`,
      auth: config.auth,
      integration: new HttpLambdaIntegration('Function', this.function, { timeout: timeouts.gateway, scopePermissionToRoute: false }),
      requestsPerSecond: lambda.requestsPerSecond ?? 100,
      burst: lambda.burst ?? 200,
      logRetentionDays: config.monitoring.logRetentionDays,
    })
  }

  /** Settings are encrypted anyway, but with AWS's own key everybody who may look at the function sees them. */
  #environmentKey (): Key {
    return new Key(this, 'EnvironmentKey', { description: 'Settings of the function, a secret among them', enableKeyRotation: true, pendingWindow: Duration.days(7), removalPolicy: RemovalPolicy.DESTROY })
  }

  #functionRole ({ lambda, data }: LambdaProps, key: Key | undefined): Role {
    const role = functionRole(this, {
      description: 'What the function may do',
      logGroup: this.logGroup,
      allow: [
        ...(key ? [new PolicyStatement({ actions: ['kms:Decrypt'], resources: [key.keyArn] })] : []),
        ...(lambda.models === 's3' ? mayRead(data.models, modelsPrefix) : []),
      ],
    })
    if (lambda.models === 's3') explainWildcards(role, objectsBelow(modelsPrefix))
    return role
  }
}

import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Architecture, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'
import { functionRole } from './function-role.ts'
import { lambdaPackage } from './lambda-package.ts'
import { explainWildcards } from './reasoned-wildcards.ts'
import { retries } from './run-task.ts'

export interface JobFunctionProps {
  config: Pick<EnvironmentConfig, 'architecture' | 'monitoring'>
  /** What `npm run package:lambda` made. */
  packageFolder: string
  environment: Record<string, string>
  allow: PolicyStatement[]
  /** Why resources in `allow` have a `*`, by their ends. */
  wildcards: Record<string, string>
}

/** The longest that Lambda lets anything run. */
const longest = Duration.minutes(15)

/** Steps of jobs as a function: no minute to start, but at most a quarter of an hour, and no Parquet (DuckDB is not in the package). */
export class JobFunction extends Construct {
  readonly logGroup: LogGroup
  readonly arn: string

  constructor (scope: Construct, id: string, { config, packageFolder, environment, allow, wildcards }: JobFunctionProps) {
    super(scope, id)
    this.logGroup = new LogGroup(this, 'Log', { retention: config.monitoring.logRetentionDays as RetentionDays, removalPolicy: RemovalPolicy.DESTROY })
    const role = functionRole(this, { description: 'What a step of a job may do', logGroup: this.logGroup, allow })
    explainWildcards(role, wildcards)
    const { code, handler, isBuilt } = lambdaPackage(this, packageFolder, config.architecture)
    const job = new LambdaFunction(this, 'Function', {
      description: 'modelport: steps of batches',
      runtime: Runtime.NODEJS_24_X,
      architecture: config.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      code,
      handler: isBuilt ? 'dist/job.handler' : handler,
      // Two CPUs; the disk holds the files of a part and its predictions.
      memorySize: 3538,
      ephemeralStorageSize: Size.gibibytes(10),
      timeout: longest,
      tracing: Tracing.ACTIVE,
      logGroup: this.logGroup,
      role: role.withoutPolicyUpdates(),
      environment,
    })
    this.arn = job.functionArn
  }

  /**
   * A state that calls the function.
   *
   * @param words what stands behind `modelport`: texts in single quotes and paths, as intrinsic functions take them
   */
  step (words: string[], timeoutSeconds: number): object {
    return {
      Type: 'Task',
      Resource: `arn:${Stack.of(this).partition}:states:::lambda:invoke`,
      Parameters: { FunctionName: this.arn, Payload: { 'command.$': `States.Array(${words.join(', ')})` } },
      TimeoutSeconds: Math.min(timeoutSeconds, longest.toSeconds() + 60),
      Retry: [
        { ...retries[0], ErrorEquals: ['Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException', 'Lambda.TooManyRequestsException'] },
        retries[1],
      ],
      ResultPath: null,
    }
  }

  /** What a workflow needs to call it. */
  mayInvoke (): PolicyStatement {
    return new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [this.arn] })
  }
}

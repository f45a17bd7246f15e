import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import { mayRead, mayWrite, objectsBelow } from '../constructs/bucket-access.ts'
import { JobFunction } from '../constructs/job-function.ts'
import { pipelineImage } from '../constructs/pipeline-image.ts'
import { explainWildcards } from '../constructs/reasoned-wildcards.ts'
import { type TaskPlace, runTask, runTaskPermissions } from '../constructs/run-task.ts'
import { metricsNamespace } from '../constructs/server-environment.ts'
import { Task } from '../constructs/task.ts'
import { Triggers } from '../constructs/triggers.ts'
import { Workflow, executionArns, workflowArn } from '../constructs/workflow.ts'
import { batchDefinition } from '../state-machines/batch.ts'
import type { DataStack } from './data.ts'
import type { NetworkStack } from './network.ts'

interface BatchProps extends StackProps {
  environment: string
  config: EnvironmentConfig
  batch: On<EnvironmentConfig['batch']>
  data: DataStack
  /** Where tasks run; absent: a function runs the steps. */
  network: NetworkStack | undefined
  /** What `npm run package:lambda` made. */
  packageFolder: string
}

/** Metrics that the merge's line in the log becomes. */
export const batchMetrics = { rows: 'BatchRows', rejected: 'BatchRowsRejected', failedParts: 'BatchPartsFailed' } as const

/** Files in a bucket → many tasks or calls of a function → predictions in a bucket. */
export class BatchStack extends Stack {
  readonly workflow: Workflow
  readonly triggers: Triggers

  constructor (scope: Construct, id: string, props: BatchProps) {
    super(scope, id, props)
    const { environment, batch, data, network } = props
    const name = `modelport-${environment}-batch`
    const runner = network ? this.#tasks(props, network) : this.#function(props)
    this.workflow = new Workflow(this, 'Workflow', {
      name,
      logRetentionDays: props.config.monitoring.logRetentionDays,
      definition: batchDefinition({
        step: runner.step,
        partition: this.partition,
        predictionsBucket: data.predictions.bucketName,
        maxConcurrency: batch.maxConcurrency,
        toleratedFailurePercent: batch.toleratedFailurePercent,
      }),
      allow: [...runner.allow, ...this.#mapPermissions(name, data)],
      wildcards: {
        ...objectsBelow('runs', 'runs/*/map'),
        [`:execution:${name}*`]: 'Executions of this workflow and of the map in it have random numbers for names.',
        ...runner.wildcards,
      },
    })
    this.triggers = new Triggers(this, 'Triggers', this.workflow)
    this.#start(props)
    this.#count(runner.logGroup, environment)
    new CfnOutput(this, 'WorkflowArn', { value: this.workflow.arn, description: 'Start it with {"model": "NAME", "input": "s3://BUCKET/FOLDER"}' }) // eslint-disable-line no-new
  }

  #tasks ({ config, data }: BatchProps, network: NetworkStack): Runner {
    const task = new Task(this, 'Task', {
      config,
      repository: data.repository,
      image: pipelineImage(config),
      // Parts are scored on every CPU; memory does not depend on the size of a file, and the disk holds a file and its predictions.
      cpu: 2048,
      memoryMiB: 4096,
      diskGiB: 100,
      environment: jobEnvironment(data),
      allow: jobPermissions(data),
    })
    explainWildcards(task.taskRole, jobWildcards)
    const place: TaskPlace = {
      cluster: network.cluster,
      subnetIds: network.vpc.selectSubnets(network.taskSubnets).subnetIds,
      securityGroupIds: [network.jobs.securityGroupId],
    }
    return {
      step: (words, timeoutSeconds) => runTask(place, task, words, timeoutSeconds),
      logGroup: task.logGroup,
      ...runTaskPermissions(this, network.cluster, [task]),
    }
  }

  #function ({ config, data, packageFolder }: BatchProps): Runner {
    const job = new JobFunction(this, 'Job', { config, packageFolder, environment: jobEnvironment(data), allow: jobPermissions(data), wildcards: jobWildcards })
    return { step: (words, timeoutSeconds) => job.step(words, timeoutSeconds), logGroup: job.logGroup, allow: [job.mayInvoke()], wildcards: {} }
  }

  /** A distributed map starts executions of the same workflow, reads the list of parts, and writes what each answered. */
  #mapPermissions (name: string, data: DataStack): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [workflowArn(this, name)] }),
      new PolicyStatement({ actions: ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'], resources: [executionArns(this, name)] }),
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [data.predictions.arnForObjects('runs/*')] }),
      new PolicyStatement({ actions: ['s3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'], resources: [data.predictions.arnForObjects('runs/*/map/*')] }),
    ]
  }

  #start ({ batch, data }: BatchProps): void {
    if (batch.start.includes('upload')) {
      // A marker, not each file: a run begins when all files are there, and once.
      this.triggers.onEvent('Upload', 'Scores the folder in which the marker _SUCCESS was put', {
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: [data.raw.bucketName] }, object: { key: [{ wildcard: 'batch/*/_SUCCESS' }] } },
      }, { bucket: '$.detail.bucket.name', key: '$.detail.object.key' })
    }
    if (batch.start.includes('schedule')) {
      this.triggers.onSchedule('Schedule', 'Scores all files of the folder of the model', batch.cron, { model: batch.model, input: `s3://${data.raw.bucketName}/scheduled/${batch.model}` })
    }
  }

  /** The merge's answer is one line of JSON in the log. */
  #count (logGroup: LogGroup, environment: string): void {
    for (const [id, metricName, field] of [['Rows', batchMetrics.rows, '$.rows'], ['Rejected', batchMetrics.rejected, '$.rejected'], ['FailedParts', batchMetrics.failedParts, '$.failed']] as const) {
      new MetricFilter(this, id, { // eslint-disable-line no-new
        logGroup,
        metricNamespace: metricsNamespace(environment),
        metricName,
        metricValue: field,
        // Only the merge tells of failed parts.
        filterPattern: FilterPattern.exists('$.failed'),
      })
    }
  }
}

/** Where the steps of a workflow run. */
interface Runner {
  step: (words: string[], timeoutSeconds: number) => object
  allow: PolicyStatement[]
  wildcards: Record<string, string>
  logGroup: LogGroup
}

function jobEnvironment (data: DataStack): Record<string, string> {
  return { MODELS_DIR: `s3://${data.models.bucketName}/models` }
}

function jobPermissions (data: DataStack): PolicyStatement[] {
  return [
    ...mayRead(data.models, 'models'),
    ...mayRead(data.raw, 'batch'),
    ...mayRead(data.raw, 'scheduled'),
    ...mayRead(data.predictions, 'runs'),
    ...mayWrite(data.predictions, 'runs'),
  ]
}

const jobWildcards = objectsBelow('models', 'batch', 'scheduled', 'runs')

export interface TrainingInputs {
  /** @param words what stands behind `modelport`: texts in single quotes and paths, as intrinsic functions take them */
  step: (words: string[], timeoutSeconds: number) => object
  partition: string
  rawBucket: string
  cleanBucket: string
  modelsBucket: string
  /** Of the server's image, with its tag: what SageMaker would run. */
  imageUri: string
  modelPackageGroup: string
  modelName: string
  horizonDays: number
  /** What DuckDB may hold before it goes to disk. */
  memory: string
}

const hour = 3600

/**
 * Raw files → a version in the model store → a model package that waits for approval.
 *
 * Input: {}, or {"notBefore": time}.
 *
 * One task does all steps from raw to published: what is between them stays on its disk, so no step can meet half of what another
 * wrote, and one image start is paid for instead of five. A run that is tried again makes the same version.
 */
export function trainingDefinition (inputs: TrainingInputs): object {
  const { step, partition, rawBucket, cleanBucket, modelsBucket, modelName, horizonDays, imageUri, memory } = inputs
  return {
    Comment: 'From raw transactions to a version that waits for approval',
    StartAt: 'When',
    States: {
      When: { Type: 'Choice', Choices: [{ Variable: '$.notBefore', IsPresent: true, Next: 'Gather' }], Default: 'Begin' },
      Gather: { Type: 'Wait', TimestampPath: '$.notBefore', Next: 'Begin' },
      Begin: {
        Type: 'Pass',
        Parameters: { 'at.$': '$$.Execution.StartTime', 'run.$': "States.Format('training/{}', $$.Execution.Name)" },
        Next: 'Train',
      },
      Train: {
        ...step([
          "'job'", "'train'", "'--name'", `'${modelName}'`, "'--raw'", `'s3://${rawBucket}/transactions'`, "'--clean'", `'s3://${cleanBucket}/transactions'`,
          "'--run'", `States.Format('s3://${modelsBucket}/{}', $.run)`, "'--at'", '$.at', "'--horizon-days'", `'${horizonDays}'`, "'--memory'", `'${memory}'`,
          "'--image'", `'${imageUri}'`, "'--json'",
        ], 12 * hour),
        Next: 'ReadRecord',
      },
      ReadRecord: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::aws-sdk:s3:getObject`,
        Parameters: { Bucket: modelsBucket, 'Key.$': "States.Format('{}/training.json', $.run)" },
        ResultSelector: { 'record.$': 'States.StringToJson($.Body)' },
        Retry: sdkRetries,
        Next: 'Register',
      },
      Register: register(inputs),
    },
  }
}

/** Faults of a service that pass. */
const sdkRetries = [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 3, BackoffRate: 2, MaxAttempts: 4, MaxDelaySeconds: 60, JitterStrategy: 'FULL' }]

function register ({ partition, modelsBucket, imageUri, modelPackageGroup }: TrainingInputs): object {
  return {
    Type: 'Task',
    Resource: `arn:${partition}:states:::aws-sdk:sagemaker:createModelPackage`,
    Parameters: {
      ModelPackageGroupName: modelPackageGroup,
      'ModelPackageDescription.$': '$.record.description',
      ModelApprovalStatus: 'PendingManualApproval',
      // The same execution makes one package, however often it asks.
      'ClientToken.$': "States.Hash($$.Execution.Name, 'MD5')",
      InferenceSpecification: {
        Containers: [{
          Image: imageUri,
          ModelDataSource: {
            S3DataSource: {
              'S3Uri.$': `States.Format('s3://${modelsBucket}/models/{}/{}/', $.record.model.name, $.record.model.version)`,
              S3DataType: 'S3Prefix',
              CompressionType: 'None',
            },
          },
        }],
        SupportedContentTypes: ['application/json', 'text/csv'],
        SupportedResponseMIMETypes: ['application/json'],
      },
      ModelMetrics: { ModelQuality: { Statistics: { ContentType: 'application/json', 'S3Uri.$': '$.record.metrics' } } },
      'CustomerMetadataProperties.$': '$.record.metadata',
    },
    Retry: sdkRetries,
    End: true,
  }
}

/** How long a training waits behind its window's end: for starts that were delayed on the way. */
const slackMs = 120_000

/**
 * Uploads in bursts start one training: time is cut into windows, every upload asks for the training of its window by name, and of one
 * name there is one. It waits for the window's end, so it sees all files of it. Nothing is counted or looked up, so any number may come at once.
 */
export function intakeDefinition ({ partition, training, gatherMinutes }: { partition: string, training: string, gatherMinutes: number }): object {
  const windowMs = gatherMinutes * 60_000
  const window = `$floor($toMillis($states.context.Execution.StartTime) / ${windowMs})`
  return {
    Comment: 'One training for all files that come within a while',
    QueryLanguage: 'JSONata',
    StartAt: 'Start',
    States: {
      Start: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::states:startExecution`,
        Arguments: {
          StateMachineArn: training,
          Name: `{% 'upload-${gatherMinutes}m-' & $string(${window}) %}`,
          // The same for all of a window: then asking again is no error while it runs.
          Input: { notBefore: `{% $fromMillis((${window} + 1) * ${windowMs} + ${slackMs}) %}` },
        },
        Retry: sdkRetries,
        Output: { training: '{% $states.result.ExecutionArn %}' },
        End: true,
      },
    },
  }
}

/** A package was approved or rejected: SageMaker may say so more than once, and to promote twice changes nothing. */
export function approvalDefinition ({ step, partition }: Pick<TrainingInputs, 'step' | 'partition'>): object {
  return {
    Comment: 'Lets an approved version answer',
    StartAt: 'Describe',
    States: {
      Describe: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::aws-sdk:sagemaker:describeModelPackage`,
        Parameters: { 'ModelPackageName.$': '$.package' },
        ResultSelector: { 'metadata.$': '$.CustomerMetadataProperties', 'status.$': '$.ModelApprovalStatus', 'package.$': '$.ModelPackageArn' },
        Retry: sdkRetries,
        Next: 'IsStillApproved',
      },
      // Who approves and rejects in one breath means the second.
      IsStillApproved: { Type: 'Choice', Choices: [{ Variable: '$.status', StringEquals: 'Approved', Next: 'Promote' }], Default: 'NotApproved' },
      NotApproved: { Type: 'Succeed' },
      Promote: {
        // A person has seen the metrics and said yes: scores alone do not stop it. What verify refuses is refused all the same.
        ...step([
          "'promote'", "States.Format('{}@{}', $.metadata.model, $.metadata.version)", "'production'", "'--force'",
          "'--who'", "'model-registry'", "'--why'", "States.Format('approved: {}', $.package)", "'--json'",
        ], hour),
        End: true,
      },
    },
  }
}

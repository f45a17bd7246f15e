/** What differs between the ways to run a step. */
interface BatchSteps {
  /** @param words what stands behind `modelport`: texts in single quotes and paths, as intrinsic functions take them */
  step: (words: string[], timeoutSeconds: number) => object
  partition: string
}

export interface BatchInputs extends BatchSteps {
  predictionsBucket: string
  maxConcurrency: number
  toleratedFailurePercent: number
}

const hour = 3600

/**
 * Plan → parts, many at once → merge. Input: {"model", "input"}, or what an upload of batch/MODEL/NAME/_SUCCESS tells.
 *
 * The version is found out by the plan and holds for all parts. A part that fails for good is told in the manifest; more
 * of them than are tolerated fail the run, which has its manifest all the same.
 */
export function batchDefinition ({ step, partition, predictionsBucket, maxConcurrency, toleratedFailurePercent }: BatchInputs): object {
  return {
    Comment: 'Scores every file of a folder with one version of a model',
    StartAt: 'How',
    States: {
      ...begin(predictionsBucket),
      Plan: { ...step(["'job'", "'batch-plan'", "'--model'", '$.model', "'--input'", '$.input', "'--run'", '$.run', "'--json'"], hour), Next: 'Parts' },
      Parts: {
        Type: 'Map',
        Label: 'Parts',
        MaxConcurrency: maxConcurrency,
        ToleratedFailurePercentage: toleratedFailurePercent,
        ItemReader: {
          Resource: `arn:${partition}:states:::s3:getObject`,
          ReaderConfig: { InputType: 'JSON' },
          Parameters: { Bucket: predictionsBucket, 'Key.$': "States.Format('runs/{}/items.json', $$.Execution.Name)" },
        },
        ItemSelector: { 'part.$': '$$.Map.Item.Value.part', 'run.$': '$.run' },
        ItemProcessor: {
          // Not EXPRESS: those end after five minutes, cannot wait for a task, and a part may take an hour.
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Part',
          States: { Part: { ...step(["'job'", "'batch-part'", "'--run'", '$.run', "'--part'", '$.part', "'--json'"], 6 * hour), End: true } },
        },
        // What the parts answer does not fit into a state where there are many.
        ResultWriter: { Resource: `arn:${partition}:states:::s3:putObject`, Parameters: { Bucket: predictionsBucket, 'Prefix.$': "States.Format('runs/{}/map', $$.Execution.Name)" } },
        ResultPath: null,
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'MergeWhatThereIs' }],
        Next: 'Merge',
      },
      Merge: { ...step(merge, hour), End: true },
      MergeWhatThereIs: { ...step(merge, hour), Next: 'TooManyFailed' },
      TooManyFailed: { Type: 'Fail', Error: 'TooManyPartsFailed', Cause: 'More parts failed than are tolerated: manifest.json of the run names them, with their files and reasons' },
    },
  }
}

const merge = ["'job'", "'batch-merge'", "'--run'", '$.run', "'--json'"]

/** Which model over which folder, whoever has started it. */
function begin (predictionsBucket: string): Record<string, object> {
  return {
    How: { Type: 'Choice', Choices: [{ Variable: '$.key', IsPresent: true, Next: 'Segments' }], Default: 'Begin' },
    Segments: {
      Type: 'Pass',
      Parameters: { 'bucket.$': '$.bucket', 'segments.$': "States.StringSplit($.key, '/')", 'count.$': "States.ArrayLength(States.StringSplit($.key, '/'))" },
      Next: 'IsOurs',
    },
    IsOurs: { Type: 'Choice', Choices: [{ Variable: '$.count', NumericEquals: 4, Next: 'FromUpload' }], Default: 'NotOurs' },
    NotOurs: { Type: 'Fail', Error: 'WrongFolder', Cause: 'The marker must be uploaded as batch/MODEL/NAME/_SUCCESS, or batch/MODEL@VERSION/NAME/_SUCCESS' },
    FromUpload: {
      Type: 'Pass',
      Parameters: {
        'model.$': 'States.ArrayGetItem($.segments, 1)',
        'input.$': "States.Format('s3://{}/batch/{}/{}', $.bucket, States.ArrayGetItem($.segments, 1), States.ArrayGetItem($.segments, 2))",
      },
      Next: 'Begin',
    },
    Begin: {
      Type: 'Pass',
      Parameters: { 'model.$': '$.model', 'input.$': '$.input', 'run.$': `States.Format('s3://${predictionsBucket}/runs/{}', $$.Execution.Name)` },
      Next: 'Plan',
    },
  }
}

import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import type { EnvironmentConfig, On } from '../config.ts'
import { mayRead, mayWrite, objectsBelow } from '../constructs/bucket-access.ts'
import { pipelineImage } from '../constructs/pipeline-image.ts'
import { explainWildcards } from '../constructs/reasoned-wildcards.ts'
import { type TaskPlace, runTask, runTaskPermissions } from '../constructs/run-task.ts'
import { Task, type TaskProps } from '../constructs/task.ts'
import { Triggers } from '../constructs/triggers.ts'
import { Workflow } from '../constructs/workflow.ts'
import { approvalDefinition, intakeDefinition, trainingDefinition } from '../state-machines/training.ts'
import type { DataStack } from './data.ts'
import type { NetworkStack } from './network.ts'

interface TrainingProps extends StackProps {
  environment: string
  config: EnvironmentConfig
  training: On<EnvironmentConfig['training']>
  data: DataStack
  network: NetworkStack
}

/** Files of transactions → a new version that waits for approval → an approved version answers. */
export class TrainingStack extends Stack {
  readonly workflows: readonly Workflow[]
  readonly triggers: readonly Triggers[]
  readonly #props: TrainingProps
  readonly #place: TaskPlace

  constructor (scope: Construct, id: string, props: TrainingProps) {
    super(scope, id, props)
    this.#props = props
    const { network } = props
    this.#place = {
      cluster: network.cluster,
      subnetIds: network.vpc.selectSubnets(network.taskSubnets).subnetIds,
      securityGroupIds: [network.jobs.securityGroupId],
    }
    const training = this.#training()
    const intake = this.#intake(training)
    const approval = this.#approval()
    this.workflows = [training, intake.workflow, approval.workflow]
    this.triggers = [intake.triggers, approval.triggers]
    new CfnOutput(this, 'WorkflowArn', { value: training.arn, description: 'Start it with {} to train at once' }) // eslint-disable-line no-new
  }

  #training (): Workflow {
    const { training, data } = this.#props
    const task = this.#task('Train', { cpu: training.cpu, memoryMiB: training.memoryMiB, diskGiB: 100 }, [
      ...mayRead(data.raw, 'transactions'),
      ...mayRead(data.clean, 'transactions'), ...mayWrite(data.clean, 'transactions'),
      ...mayRead(data.models, 'models'), ...mayWrite(data.models, 'models'),
      ...mayRead(data.models, 'training'), ...mayWrite(data.models, 'training'),
    ], objectsBelow('transactions', 'models', 'training'))
    const permissions = runTaskPermissions(this, this.#place.cluster, [task])
    const group = data.modelPackageGroup.attrModelPackageGroupArn
    return this.#workflow('Training', trainingDefinition({
      step: (words, timeoutSeconds) => runTask(this.#place, task, words, timeoutSeconds),
      partition: this.partition,
      rawBucket: data.raw.bucketName,
      cleanBucket: data.clean.bucketName,
      modelsBucket: data.models.bucketName,
      imageUri: data.repository.repositoryUriForTagOrDigest(this.#props.config.imageTag),
      modelPackageGroup: data.modelPackageGroup.modelPackageGroupName,
      modelName: training.modelName,
      horizonDays: training.targetDays,
      // The rest is for the rows in the trees.
      memory: `${Math.floor(training.memoryMiB / 2)}MB`,
    }), [
      ...permissions.allow,
      new PolicyStatement({ actions: ['s3:GetObject'], resources: [data.models.arnForObjects('training/*'), data.models.arnForObjects('models/*')] }),
      new PolicyStatement({ actions: ['sagemaker:CreateModelPackage'], resources: [group, this.#packages()] }),
      // SageMaker looks whether the image and the model are there, as whoever registers them.
      new PolicyStatement({ actions: ['ecr:DescribeImages', 'ecr:BatchGetImage'], resources: [data.repository.repositoryArn] }),
    ], { ...objectsBelow('training', 'models'), ...this.#packagesReason(), ...permissions.wildcards })
  }

  #intake (training: Workflow): { workflow: Workflow, triggers: Triggers } {
    const { data } = this.#props
    const workflow = this.#workflow('Intake', intakeDefinition({ partition: this.partition, training: training.arn, gatherMinutes: this.#props.training.gatherMinutes }), [
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [training.arn] }),
    ], {})
    const triggers = new Triggers(this, 'IntakeTriggers', workflow)
    triggers.onEvent('Upload', 'New transactions lead to a new version', {
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: [data.raw.bucketName] }, object: { key: [{ wildcard: 'transactions/*.csv' }, { wildcard: 'transactions/*.csv.gz' }, { wildcard: 'transactions/*.parquet' }] } },
    }, { key: '$.detail.object.key' })
    return { workflow, triggers }
  }

  #approval (): { workflow: Workflow, triggers: Triggers } {
    const { data } = this.#props
    const task = this.#task('Promote', { cpu: 512, memoryMiB: 2048 }, [...mayRead(data.models, 'models'), ...mayWrite(data.models, 'models')], objectsBelow('models'))
    const permissions = runTaskPermissions(this, this.#place.cluster, [task])
    const workflow = this.#workflow('Approval', approvalDefinition({ step: (words, timeoutSeconds) => runTask(this.#place, task, words, timeoutSeconds), partition: this.partition }), [
      ...permissions.allow,
      new PolicyStatement({ actions: ['sagemaker:DescribeModelPackage'], resources: [this.#packages()] }),
    ], { ...this.#packagesReason(), ...permissions.wildcards })
    const triggers = new Triggers(this, 'ApprovalTriggers', workflow)
    triggers.onEvent('Approved', 'An approved version is promoted to production', {
      source: ['aws.sagemaker'],
      'detail-type': ['SageMaker Model Package State Change'],
      detail: { ModelPackageGroupName: [data.modelPackageGroup.modelPackageGroupName], ModelApprovalStatus: ['Approved'] },
    }, { package: '$.detail.ModelPackageArn' })
    return { workflow, triggers }
  }

  #task (id: string, size: Pick<TaskProps, 'cpu' | 'memoryMiB' | 'diskGiB'>, allow: PolicyStatement[], reasons: Record<string, string>): Task {
    const { config, data } = this.#props
    const task = new Task(this, id, { config, repository: data.repository, image: pipelineImage(config), environment: { MODELS_DIR: `s3://${data.models.bucketName}/models` }, allow, ...size })
    explainWildcards(task.taskRole, reasons)
    return task
  }

  #workflow (id: string, definition: object, allow: PolicyStatement[], wildcards: Record<string, string>): Workflow {
    const { environment, config } = this.#props
    return new Workflow(this, `${id}Workflow`, { name: `modelport-${environment}-${id.toLowerCase()}`, definition, allow, wildcards, logRetentionDays: config.monitoring.logRetentionDays })
  }

  /** Packages of the group are numbered from 1. */
  #packages (): string {
    const { environment } = this.#props
    return this.formatArn({ service: 'sagemaker', resource: 'model-package', resourceName: `modelport-${environment}/*` })
  }

  #packagesReason (): Record<string, string> {
    return { [`:model-package/modelport-${this.#props.environment}/*`]: 'Packages of the group have numbers for names.' }
  }
}

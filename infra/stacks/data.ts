import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib'
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr'
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps, type CfnBucket, ObjectOwnership, StorageClass } from 'aws-cdk-lib/aws-s3'
import { CfnModelPackageGroup } from 'aws-cdk-lib/aws-sagemaker'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import type { EnvironmentConfig } from '../config.ts'

interface DataProps extends StackProps {
  environment: string
  auth: EnvironmentConfig['auth']
}

/** What must outlive every other stack: buckets, the image's repository, the group of registered models, the secret behind tokens. */
export class DataStack extends Stack {
  readonly logs: Bucket
  /** Raw files as they come; tells EventBridge of each. */
  readonly raw: Bucket
  /** Rows of every raw file there ever was, and every training reads them all: nothing expires, and classes of storage that charge for reading would cost more. */
  readonly clean: Bucket
  /** `models/`: the model repository that services read. */
  readonly models: Bucket
  readonly predictions: Bucket
  readonly repository: Repository
  readonly modelPackageGroup: CfnModelPackageGroup
  /** What tokens are signed with; none where a JWKS address says who may sign. */
  readonly jwtSecret: Secret | undefined
  /** The version of it that the environment names. */
  readonly jwtSecretVersion: string | undefined

  constructor (scope: Construct, id: string, props: DataProps) {
    super(scope, id, props)
    this.logs = new Bucket(this, 'Logs', {
      ...this.#guarded(),
      // Load balancers can only write logs to buckets encrypted with S3's own keys.
      objectOwnership: ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(365) }],
    })
    this.raw = this.#bucket('Raw', {
      versioned: true,
      // Instant retrieval: a file that was never made clean is read by every training, however old it is, and the archives proper refuse to be read.
      lifecycleRules: [{ transitions: [{ storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(90) }] }],
    })
    // The L2 property would add a Lambda function that is not ours; the L1 property is part of the bucket.
    ;(this.raw.node.defaultChild as CfnBucket).notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
    this.clean = this.#bucket('Clean', {})
    this.models = this.#bucket('Models', { versioned: true })
    this.predictions = this.#bucket('Predictions', { lifecycleRules: [{ expiration: Duration.days(365) }] })
    this.repository = new Repository(this, 'Images', {
      repositoryName: `modelport-${props.environment}`,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.MUTABLE,
      lifecycleRules: [{ maxImageCount: 30 }],
      removalPolicy: RemovalPolicy.RETAIN,
    })
    this.modelPackageGroup = new CfnModelPackageGroup(this, 'ModelPackages', {
      modelPackageGroupName: `modelport-${props.environment}`,
      modelPackageGroupDescription: 'Versions that training has made; an approved one is promoted to production',
    })
    if (props.auth.kind === 'secret') {
      this.jwtSecret = this.#jwtSecret()
      this.jwtSecretVersion = props.auth.versionId
    }
    this.#tellNames()
  }

  #jwtSecret (): Secret {
    const secret = new Secret(this, 'JwtSecret', {
      description: 'JWT_SECRET of the server (HS256): who has it can sign tokens',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    })
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'A new secret ends every token that callers hold, at once, so a person decides when (docs/aws.md). Keys that change without that are what auth "jwks" is for.',
    })
    new CfnOutput(this, 'JwtSecretArn', { value: secret.secretArn }) // eslint-disable-line no-new
    return secret
  }

  /** Buckets have names that CloudFormation makes up: scripts ask for them here. */
  #tellNames (): void {
    const { raw, clean, models, predictions, logs } = this
    for (const [name, bucket] of Object.entries({ Raw: raw, Clean: clean, Models: models, Predictions: predictions, Logs: logs })) {
      new CfnOutput(this, `${name}Bucket`, { value: bucket.bucketName }) // eslint-disable-line no-new
    }
  }

  #bucket (id: string, { lifecycleRules = [], ...props }: BucketProps): Bucket {
    return new Bucket(this, id, {
      ...this.#guarded(),
      serverAccessLogsBucket: this.logs,
      serverAccessLogsPrefix: `s3/${id.toLowerCase()}/`,
      // Parts of an upload that was broken off are paid for and never seen.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }, ...lifecycleRules],
      ...props,
    })
  }

  #guarded (): BucketProps {
    return {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
    }
  }
}

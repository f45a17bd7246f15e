import { Match } from 'aws-cdk-lib/assertions'
import { describe, expect, test } from 'vitest'
import { resourcesOf, stacksOf, templateOf } from './synth.ts'

interface Rule { ExpirationInDays?: number, Transitions?: { StorageClass: string, TransitionInDays: number }[] }

/** The lifecycle of a bucket, by the id that the stack gives it. */
function rulesOf (bucket: string): Rule[] {
  const [[, properties] = []] = resourcesOf({ Data: stacksOf('production')['Data']! }, 'AWS::S3::Bucket').filter(([id]) => new RegExp(`^Data/${bucket}[0-9A-F]{8}$`).test(id))
  return (properties?.['LifecycleConfiguration'] as { Rules: Rule[] }).Rules
}

describe('what is kept', () => {
  test.each(['Raw', 'Clean', 'Models'])('nothing in the bucket %s expires: every training reads all there ever was', bucket => {
    expect(rulesOf(bucket).filter(rule => rule.ExpirationInDays !== undefined)).toEqual([])
  })

  test('raw files go to the class of Glacier that can be read at once', () => {
    expect(rulesOf('Raw').flatMap(({ Transitions = [] }) => Transitions)).toEqual([{ StorageClass: 'GLACIER_IR', TransitionInDays: 90 }])
  })

  test('clean rows stay where reading costs nothing by the byte', () => {
    expect(rulesOf('Clean').flatMap(({ Transitions = [] }) => Transitions)).toEqual([])
  })

  test.each(['Raw', 'Clean', 'Models', 'Predictions'])('what is left of uploads to the bucket %s that were broken off goes', bucket => {
    expect(rulesOf(bucket)).toContainEqual({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' })
  })

  test('what people upload or publish keeps its versions', () => {
    const versioned = resourcesOf({ Data: stacksOf('production')['Data']! }, 'AWS::S3::Bucket').filter(([, { VersioningConfiguration }]) => VersioningConfiguration !== undefined).map(([id]) => id.slice(5, -8))
    expect(versioned).toEqual(['Raw', 'Models'])
  })
})

test('uploads are told to EventBridge, without a function of CDK\'s in between', () => {
  templateOf('production', 'Data').hasResourceProperties('AWS::S3::Bucket', { NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } } })
  templateOf('production', 'Data').resourceCountIs('AWS::Lambda::Function', 0)
})

test('SageMaker\'s group of versions has the name that everything else knows it by', () => {
  templateOf('production', 'Data').hasResourceProperties('AWS::SageMaker::ModelPackageGroup', { ModelPackageGroupName: 'modelport-production', ModelPackageGroupDescription: Match.anyValue() })
})

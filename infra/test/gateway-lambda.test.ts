import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { afterEach, describe, expect, test } from 'vitest'
import { type EnvironmentConfig, configOf } from '../config.ts'
import { openPaths } from '../constructs/http-front.ts'
import { lambdaPackage, maxUnzippedBytes } from '../constructs/lambda-package.ts'
import { synth, templateOf } from './synth.ts'

const jwks = { kind: 'jwks', url: 'https://keys.example.com/jwks.json', issuer: 'https://keys.example.com', audience: 'modelport' } as const
const config: EnvironmentConfig = { ...configOf('dev'), auth: jwks, lambda: { memoryMiB: 1769, models: 'package' }, batch: 'off', training: 'off' }
const withKeys = synth('dev', config)

describe.each([['Gateway', 200, 400], ['Lambda', 100, 200]] as const)('the HTTP API of %s', (stack, rate, burst) => {
  const keys = Template.fromJSON(withKeys[stack]!)
  const secret = templateOf('dev', stack)

  test('checks tokens by public keys on every route but the open ones', () => {
    keys.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', { AuthorizerType: 'JWT', JwtConfiguration: { Issuer: jwks.issuer, Audience: [jwks.audience] } })
    keys.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: '$default', AuthorizationType: 'JWT' })
    const open = Object.values(keys.findResources('AWS::ApiGatewayV2::Route', { Properties: { AuthorizationType: 'NONE' } })) as { Properties: { RouteKey: string } }[]
    expect(open.map(({ Properties }) => Properties.RouteKey).toSorted()).toEqual(openPaths.map(path => `GET ${path}`).toSorted())
  })

  test('leaves tokens that are signed with a secret to the server', () => {
    secret.resourceCountIs('AWS::ApiGatewayV2::Authorizer', 0)
    secret.resourceCountIs('AWS::ApiGatewayV2::Route', 1)
  })

  test('throttles, and writes an access log without headers and queries, where a token may be', () => {
    secret.hasResourceProperties('AWS::ApiGatewayV2::Stage', { StageName: '$default', DefaultRouteSettings: { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } })
    const [stage] = Object.values(secret.findResources('AWS::ApiGatewayV2::Stage')) as { Properties: { AccessLogSettings: { Format: string } } }[]
    expect(Object.keys(JSON.parse(stage!.Properties.AccessLogSettings.Format) as object)).toEqual(expect.arrayContaining(['requestId', 'status', 'latencyMs']))
    expect(stage!.Properties.AccessLogSettings.Format).not.toMatch(/header|querystring|authorization/i)
  })
})

test('the gateway reaches the private load balancer by a link that may call nothing else', () => {
  const gateway = templateOf('dev', 'Gateway')
  gateway.hasResourceProperties('AWS::ApiGatewayV2::Integration', { IntegrationType: 'HTTP_PROXY', ConnectionType: 'VPC_LINK', TimeoutInMillis: 29_000 })
  gateway.resourceCountIs('AWS::ApiGatewayV2::VpcLink', 1)
  templateOf('dev', 'Service').hasResourceProperties('AWS::EC2::SecurityGroupEgress', { FromPort: 80, ToPort: 80, GroupId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DoorCallers'), 'GroupId'] } })
})

describe('the function', () => {
  test('has its secret from Secrets Manager, encrypted with a key of its own', () => {
    templateOf('dev', 'Lambda').hasResourceProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
      KmsKeyArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^EnvironmentKey'), 'Arn'] },
      Environment: { Variables: { JWT_SECRET: { 'Fn::Join': ['', Match.arrayWith(['{{resolve:secretsmanager:'])] } } },
    })
  })

  test('has the version of the secret that the environment names, and so have tasks', () => {
    const versionId = '0b1c2d3e-0000-1111-2222-333344445555'
    const pinned = synth('dev', { ...configOf('dev'), auth: { kind: 'secret', versionId }, gateway: 'off', batch: 'off', training: 'off' })
    const version = (part: string): object => ({ 'Fn::Join': ['', Match.arrayWith([part])] })
    Template.fromJSON(pinned['Lambda']!).hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { JWT_SECRET: version(`:SecretString:::${versionId}}}`) } } })
    Template.fromJSON(pinned['Service']!).hasResourceProperties('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [{ Secrets: [{ Name: 'JWT_SECRET', ValueFrom: version(`:::${versionId}`) }] }],
    })
  })

  test('has neither secret nor key where public keys check tokens, and no rights to a bucket where models are in the package', () => {
    const lambda = Template.fromJSON(withKeys['Lambda']!)
    lambda.resourceCountIs('AWS::KMS::Key', 0)
    lambda.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { JWT_SECRET: Match.absent(), MODELS_DIR: Match.absent(), JWT_JWKS_URL: jwks.url } } })
    expect(JSON.stringify(lambda.toJSON())).not.toContain('s3:')
  })
})

describe('the package of the function', () => {
  const folders: string[] = []
  afterEach(() => { for (const folder of folders.splice(0)) rmSync(folder, { recursive: true }) })

  /** A package with a handler, and with a file of that many bytes, which takes no room on the disk. */
  function packageOf (bytes: number): string {
    const folder = mkdtempSync(join(tmpdir(), 'modelport-package-'))
    folders.push(folder)
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'dist', 'lambda.js'), '')
    writeFileSync(join(folder, 'model.onnx'), '')
    truncateSync(join(folder, 'model.onnx'), bytes)
    return folder
  }

  const stack = (): Stack => new Stack(new App({ analyticsReporting: false }), 'Test')

  test('is taken at the size that Lambda unpacks, and refused above it with both sizes and what to do', () => {
    expect(lambdaPackage(stack(), packageOf(maxUnzippedBytes), 'arm64')).toMatchObject({ handler: 'dist/lambda.handler', isBuilt: true })
    expect(() => lambdaPackage(stack(), packageOf(maxUnzippedBytes + 1), 'arm64')).toThrow(/has 251 MB, and Lambda takes at most 250 MB: leave models out/)
  })

  test('is refused without its handler', () => {
    const folder = packageOf(1)
    rmSync(join(folder, 'dist', 'lambda.js'))
    expect(() => lambdaPackage(stack(), folder, 'arm64')).toThrow(/holds no dist\/lambda\.js: make it anew with `npm run package:lambda -- --arch arm64`/)
  })

  test('has a stand-in where it was not made, which answers 503 and says what to run', async () => {
    const here = stack()
    const { code, isBuilt } = lambdaPackage(here, '/nowhere', 'x64')
    expect(isBuilt).toBe(false)
    // What a strict synth, as `deploy` does it, refuses.
    expect(here.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => String(data))).toEqual([expect.stringContaining('run `npm run package:lambda -- --arch x64` before deploying')])
    const exports: { handler?: () => Promise<{ statusCode: number, body: string }> } = {}
    new Function('exports', code.bind(stack()).inlineCode!)(exports) // eslint-disable-line no-new-func
    const { statusCode, body } = await exports.handler!()
    expect(statusCode).toBe(503)
    expect(JSON.parse(body)).toMatchObject({ status: 503, detail: expect.stringContaining('npm run package:lambda') as string })
  })
})

import { App } from 'aws-cdk-lib'
import { build } from './build.ts'
import { configOf } from './config.ts'

const app = new App()
const environment = (app.node.tryGetContext('environment') as string | undefined) ?? 'dev'
build(app, environment, configOf(environment))
app.synth()

// HEALTHCHECK of the image, which has no curl: exit 0 while the server is alive.
const { HOST = '', PORT, APP_PORT, AIP_HTTP_PORT, SAGEMAKER_BIND_TO_PORT } = process.env
const everyAddress = ['', '0.0.0.0', '::'].includes(HOST)
const host = everyAddress ? '127.0.0.1' : HOST.includes(':') ? `[${HOST}]` : HOST

// Started with `serve`, as SageMaker does, it listens on SageMaker's port.
const ports = [PORT || APP_PORT || AIP_HTTP_PORT || 8000, SAGEMAKER_BIND_TO_PORT || 8080]
const replies = await Promise.all(ports.map(port => fetch(`http://${host}:${port}/health/live`, { signal: AbortSignal.timeout(4000) }).catch(() => undefined)))
process.exit(replies.some(reply => reply?.ok) ? 0 : 1)

// HEALTHCHECK of the image, which has no curl: exit 0 while the server is alive.
const { HOST = '', PORT, APP_PORT } = process.env
const everyAddress = ['', '0.0.0.0', '::'].includes(HOST)
const host = everyAddress ? '127.0.0.1' : HOST.includes(':') ? `[${HOST}]` : HOST

const reply = await fetch(`http://${host}:${PORT || APP_PORT || 8000}/health/live`, { signal: AbortSignal.timeout(4000) }).catch(() => undefined)
process.exit(reply?.ok ? 0 : 1)

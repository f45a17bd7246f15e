import { connect } from 'node:net'
import type { Answer } from '../helpers/app.ts'

/** Sends bytes as they are, what fetch would tidy or refuse, and reads until the server hangs up. */
export async function sendRaw (url: string, text: string): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const received = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let all = ''
    socket.setEncoding('utf8')
    socket.on('data', chunk => { all += chunk.toString() })
    socket.on('close', () => { resolve(all) })
    socket.on('error', reject)
    socket.write(text)
  })
  return parse(received)
}

/** A request line and headers, closed after the answer. */
export async function requestRaw (url: string, line: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  const all = { host: 'localhost', connection: 'close', ...headers }
  const fields = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return await sendRaw(url, `${line} HTTP/1.1\r\n${fields.join('')}\r\n${body}`)
}

function parse (received: string): Answer {
  const end = received.indexOf('\r\n\r\n')
  const [statusLine = '', ...fields] = received.slice(0, end).split('\r\n')
  const headers = new Headers(fields.map((field): [string, string] => {
    const [name = '', ...value] = field.split(': ')
    return [name, value.join(': ')]
  }))
  const text = received.slice(end + 4)
  const json = (headers.get('content-type') ?? '').includes('json') && text !== ''
  return { status: Number(statusLine.split(' ')[1]), headers, text, body: json ? JSON.parse(text) as unknown : undefined }
}

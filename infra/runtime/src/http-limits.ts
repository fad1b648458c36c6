import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

// What a connection may cost before anybody is known (style: a limit on everything, and the number has a name).

/** All header lines of a request together; a token and a cursor need a tenth of it. */
export const MOST_HEADER_BYTES = 16 * 1024
/** Header lines of a request. Node would drop what is too many without a word. */
export const MOST_HEADERS = 100
/** Headers that drip in hold a socket no longer. */
const HEADERS_WITHIN_MILLISECONDS = 10_000
/** The largest upload (4 MiB) over a line of 0.6 Mbit/s. */
const REQUEST_WITHIN_MILLISECONDS = 60_000
/** How late a limit of time may be noticed. */
const LOOK_EVERY_MILLISECONDS = 2_000
/** Longer than a load balancer keeps its own end (60 s), so that it is never answered by a closed socket. */
const IDLE_CONNECTION_FOR_MILLISECONDS = 72_000
/** Beyond this a process closes new connections at once; each costs some 20 KiB. */
export const MOST_CONNECTIONS = 5_000

/** The answer to what never becomes a request, by the parser's own code for it. */
const unread: Readonly<Record<string, readonly [status: number, code: string, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'request_timeout', 'The request did not come in time.'],
  HPE_HEADER_OVERFLOW: [431, 'headers_too_large', `The headers have more than ${MOST_HEADER_BYTES} bytes.`],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'body_too_large', 'The chunks of the body say too much of themselves.'],
}
const unreadable = [400, 'invalid_request', 'This is not HTTP/1.1.'] as const

/** A refusal that no route can give, in the form of all others (RFC 9457). */
export const earlyProblem = (status: number, code: string, detail: string) =>
  JSON.stringify({ type: `urn:coding-plans:problem:${code}`, title: STATUS_CODES[status], status, detail, code })

export const tooManyHeaders = () =>
  earlyProblem(431, 'headers_too_large', `The request has more than ${MOST_HEADERS} headers.`)

/** Says what was wrong while there is still somebody to hear it, and hangs up. */
const refuseUnread = (error: Error & { code?: string }, socket: Socket) => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, code, detail] = unread[error.code ?? ''] ?? unreadable
  const body = earlyProblem(status, code, detail)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'connection: close',
  ]
  if (socket.writable) socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  else socket.destroy(error)
}

/** For every server of the house. */
export const serverLimits = {
  requestTimeout: REQUEST_WITHIN_MILLISECONDS,
  keepAliveTimeout: IDLE_CONNECTION_FOR_MILLISECONDS,
  http: {
    maxHeaderSize: MOST_HEADER_BYTES,
    headersTimeout: HEADERS_WITHIN_MILLISECONDS,
    connectionsCheckingInterval: LOOK_EVERY_MILLISECONDS,
  },
  clientErrorHandler: refuseUnread,
} as const

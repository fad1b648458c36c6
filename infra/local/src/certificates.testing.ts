import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Complaint, codeOf } from './complaint.ts'

export interface Authority {
  /** Its certificate, a file. */
  readonly ca: string
  /** A certificate for this machine, and its key; each a file. */
  readonly certificate: string
  readonly key: string
}

const NAMES = 'subjectAltName=IP:127.0.0.1,DNS:localhost'

/** An authority of its own, and what it vouches for. Needs `openssl`. */
export const openAuthority = (directory: string, name: string): Authority => {
  const at = (file: string) => join(directory, `${name}-${file}.pem`)
  const openssl = (...options: string[]) => {
    try {
      execFileSync('openssl', options, { stdio: 'pipe' })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      throw new Complaint('openssl is needed to make certificates for this test, and was not found.')
    }
  }
  const fresh = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...fresh, '-days', '2', '-subj', `/CN=${name}`, '-keyout', at('ca-key'), '-out', at('ca'))
  openssl('req', ...fresh, '-subj', '/CN=localhost', '-keyout', at('key'), '-out', at('request'))
  writeFileSync(at('names'), NAMES)
  const signing = ['-CA', at('ca'), '-CAkey', at('ca-key'), '-CAcreateserial', '-days', '2', '-extfile', at('names')]
  openssl('x509', '-req', '-in', at('request'), '-out', at('certificate'), ...signing)
  return { ca: at('ca'), certificate: at('certificate'), key: at('key') }
}

/** Key and certificate in one, as Kafka reads them. */
export const joined = ({ certificate, key }: Authority) => readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8')

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Authority {
  /** Its certificate, a file. */
  readonly ca: string
  /** A certificate for this machine, and its key; each a file. */
  readonly certificate: string
  readonly key: string
}

/** An authority of its own, and what it vouches for: `localhost` and 127.0.0.1. */
export const openAuthority = async (directory: string, name: string): Promise<Authority> => {
  const write = (file: string, text: string) => {
    const path = join(directory, `${name}-${file}.pem`)
    writeFileSync(path, text)
    return path
  }
  const authority = await generate([{ name: 'commonName', value: name }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  })
  const ours = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    ca: { key: authority.private, cert: authority.cert },
  })
  return {
    ca: write('ca', authority.cert),
    certificate: write('certificate', ours.cert),
    key: write('key', ours.private),
  }
}

/** Key and certificate in one, as Kafka reads them. */
export const joined = ({ certificate, key }: Authority) => readFileSync(key, 'utf8') + readFileSync(certificate, 'utf8')

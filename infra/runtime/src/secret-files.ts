import { readFileSync } from 'node:fs'
import { services } from '@coding-plans/schemas'

/** Where a launcher is told with what a service comes to Kafka. */
export const kafkaPasswordOf = (service: string) => `KAFKA_SASL_PASSWORD_${service.replaceAll('-', '_').toUpperCase()}`

/** Variables whose value may lie in a file instead, which `<NAME>_FILE` names: an environment is easily shown, a file has a mode. */
export const inFiles = [
  'AUTH_JWT_SECRET',
  'CRON_SECRET',
  'VAULT_KEY',
  'VAULT_KEY_NEXT',
  'VAULT_KEY_PREVIOUS',
  'FINGERPRINT_SECRET',
  'IDENTITY_SECRET',
  'SEALING_KEY',
  'INTERNAL_SECRET',
  'REVEAL_SECRET',
  'STRIPE_SECRET_KEY',
  'DATABASE_URL',
  'KAFKA_SASL_PASSWORD',
  ...services.map(kafkaPasswordOf),
]

/**
 * The environment with what its files say. One line break at the end of a file is none of the secret.
 * @throws one Error that names every variable given twice and every file that cannot be read, and shows no value
 */
export const withSecretFiles = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const complaints: string[] = []
  const read = { ...env }
  for (const name of inFiles) {
    const path = env[`${name}_FILE`]
    if (!path) continue
    // Read once: what is handed on names no file any more.
    delete read[`${name}_FILE`]
    if (env[name]) complaints.push(`${name} and ${name}_FILE are both set.`)
    else
      try {
        read[name] = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
      } catch (error) {
        complaints.push(`${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code}): ${path}.`)
      }
  }
  if (complaints.length > 0) throw new Error(complaints.join(' '))
  return read
}

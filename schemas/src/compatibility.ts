import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc, { type Schema } from 'avsc'
import { avroSchemaOf, type Declaration, declarations } from './declaration.ts'

/** `released/<owner>/<Name>.<n>.avsc`: every version that ever left this repository, as Avro alone. */
export const releasedDirectory = join(import.meta.dirname, '..', 'released')

export interface ReleasedVersion {
  readonly owner: string
  readonly name: string
  readonly version: number
  readonly schema: Schema
}

export const releasedVersions = (directory = releasedDirectory): ReleasedVersion[] => {
  if (!existsSync(directory)) return []
  return readdirSync(directory).flatMap((owner) =>
    readdirSync(join(directory, owner)).map((file) => {
      const [name = '', version = ''] = file.split('.')
      const schema = JSON.parse(readFileSync(join(directory, owner, file), 'utf8')) as Schema
      return { owner, name, version: Number(version), schema }
    }),
  )
}

const readable = (reader: Schema, writer: Schema): string | null => {
  try {
    avsc.Type.forSchema(reader).createResolver(avsc.Type.forSchema(writer))
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * FULL_TRANSITIVE: today's schema reads every released one, and every released one reads today's.
 * @returns a sentence per break, empty when all is well.
 */
export const breaks = (declaration: Declaration, released: readonly ReleasedVersion[]): string[] => {
  const today = avroSchemaOf(declaration) as unknown as Schema
  return released.flatMap(({ name, version, schema }) => {
    const old = readable(today, schema)
    const back = readable(schema, today)
    return [
      ...(old ? [`${name}: today's schema cannot read version ${version}: ${old}`] : []),
      ...(back ? [`${name}: version ${version} cannot read today's schema: ${back}`] : []),
    ]
  })
}

/** Keep today's set as released: a new version for each message that changed. */
export const release = () => {
  for (const { owner, declaration } of declarations()) {
    const versions = releasedVersions().filter((r) => r.owner === owner && r.name === declaration.name)
    const text = `${JSON.stringify(avroSchemaOf(declaration))}\n`
    const latest = versions.reduce((most, { version }) => Math.max(most, version), 0)
    const folder = join(releasedDirectory, owner)
    mkdirSync(folder, { recursive: true })
    if (latest > 0 && readFileSync(join(folder, `${declaration.name}.${latest}.avsc`), 'utf8') === text) continue
    writeFileSync(join(folder, `${declaration.name}.${latest + 1}.avsc`), text)
  }
}

if (process.argv[1] === import.meta.filename) release()

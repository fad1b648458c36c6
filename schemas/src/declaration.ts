import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type AvroType = string | AvroType[] | AvroNamed
export interface AvroNamed {
  type: string | AvroNamed
  logicalType?: string
  name?: string
  symbols?: string[]
  items?: AvroType
  fields?: AvroField[]
}
export interface AvroField {
  name: string
  type: AvroType
  default?: unknown
}

/** One .avsc of `schemas/avro`: an Avro record with the attributes that make it a message. */
export interface Declaration {
  type: 'record'
  namespace: string
  name: string
  doc: string
  kind: 'command' | 'event'
  topic: string
  /** Of a command: the services that may ask. What they may write in Kafka follows from it. */
  from?: string[]
  /** The field whose value decides the lane: whom or what it concerns. */
  key: string
  /** On a compacted topic, of which the last record per key stays: the fields that make the record key. Else it is `key`. */
  recordKey?: string[]
  public?: boolean
  fields: AvroField[]
  example: Record<string, unknown>
}

export const avroDirectory = join(import.meta.dirname, '..', 'avro')

/** Every declaration with its owner (the folder's name), in a stable order. */
export const declarations = (directory = avroDirectory): { owner: string; declaration: Declaration }[] =>
  readdirSync(directory)
    .sort()
    .flatMap((owner) =>
      readdirSync(join(directory, owner))
        .sort()
        .map((file) => ({
          owner,
          declaration: JSON.parse(readFileSync(join(directory, owner, file), 'utf8')) as Declaration,
        })),
    )

/** What is registered and compared: the Avro schema alone, without prose, example and routing. */
export const avroSchemaOf = ({ type, namespace, name, fields }: Declaration) => ({ type, namespace, name, fields })

import type { Migration } from '@coding-plans/runtime'
import { commands } from './001-commands.ts'
import { readModels } from './002-read-models.ts'
import { visibility } from './003-visibility.ts'
import { lives } from './004-lives.ts'
import { room } from './005-room.ts'
import { deadLetters } from './006-dead-letters.ts'
import { invariants } from './007-invariants.ts'
import { keyVersions } from './008-key-versions.ts'

/** The gateway's database, in the order its steps run. */
export const migrations: Migration[] = [
  ...[commands, readModels, visibility, lives, room, deadLetters, invariants, keyVersions],
]

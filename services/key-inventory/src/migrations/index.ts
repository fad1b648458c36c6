import type { Migration } from '@coding-plans/runtime'
import { stock } from './001-stock.ts'
import { slots } from './002-slots.ts'
import { ends } from './003-ends.ts'
import { entitlements } from './004-entitlements.ts'
import { room } from './005-room.ts'
import { wrappingKeys } from './006-wrapping-keys.ts'

export const migrations: Migration[] = [stock, slots, ends, entitlements, room, wrappingKeys]

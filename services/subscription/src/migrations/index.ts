import { catalogue } from './001-catalogue.ts'
import { subscriptions } from './002-subscriptions.ts'
import { sagas } from './003-sagas.ts'
import { lives } from './004-lives.ts'
import { memory } from './005-memory.ts'

export const migrations = [catalogue, subscriptions, sagas, lives, memory]

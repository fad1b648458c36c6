import type { Migration } from '@coding-plans/runtime'

/** Which of its plan's stock versions a key was last told by. */
export const keyVersions: Migration = {
  name: '008_key_versions',
  up: 'alter table keys add column version bigint not null default 0',
}

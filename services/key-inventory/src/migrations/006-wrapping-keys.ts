import type { Migration } from '@coding-plans/runtime'

/** Which records still lie under which key-encryption key is found without reading them all. */
export const wrappingKeys: Migration = {
  name: '006_wrapping_keys',
  up: `
    create index keys_by_wrapping_key on keys (wrapping_key_id) where wrapping_key_id is not null;
    create index slots_by_wrapping_key on slots (wrapping_key_id) where wrapping_key_id is not null;
  `,
}

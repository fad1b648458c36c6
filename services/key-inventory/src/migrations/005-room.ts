import type { Migration } from '@coding-plans/runtime'

/** Room in each page for the next version of its rows: a change of what no index names then touches none. */
export const room: Migration = {
  name: '005_room',
  up: `
    alter table slots set (fillfactor = 60);
    alter table entitlements set (fillfactor = 60);
  `,
}

import type { Migration } from '@coding-plans/runtime'

/** Room in each page for the next version of its rows: a change of what no index names then touches none. */
export const room: Migration = {
  name: '005_room',
  up: `
    alter table operations set (fillfactor = 40);
    alter table accounts set (fillfactor = 80);
    alter table subscriptions set (fillfactor = 80);
    alter table slots set (fillfactor = 80);
  `,
}

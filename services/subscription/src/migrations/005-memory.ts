/**
 * A saga's memory is read and written whole at every step and never looked into here: kept as it was written. And room in
 * each page for the next version of its rows: a step then touches no index.
 */
export const memory = {
  name: '005_memory',
  up: `
    alter table sagas alter column memory type json;
    alter table sagas set (fillfactor = 60);
    alter table subscriptions set (fillfactor = 80);
    alter table buyers set (fillfactor = 80);
  `,
}

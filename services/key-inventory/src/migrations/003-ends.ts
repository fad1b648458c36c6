import type { Migration } from '@coding-plans/runtime'

/** The revocation queue, and deleted users: that a key was somebody's stays, whose it was does not. */
export const ends: Migration = {
  name: '003_ends',
  up: `
    alter table keys
      add column attempts integer not null default 0 check (attempts >= 0),
      add column last_error text,
      drop constraint assigned_whole,
      add constraint assigned_whole check (num_nonnulls(assignment_id, assigned_at, ownership, reveal, upstream_revocation,
        slot_version, stock_version) in (0, 7)),
      add constraint linked_whole check (num_nonnulls(user_id, subscription_id) in (0, 2)
        and (user_id is null or assignment_id is not null)),
      add constraint serving_is_linked check (assignment_id is null or user_id is not null or ended_at is not null);
    create index keys_by_user on keys (user_id) where user_id is not null;

    create table deleted_users (
      user_id text primary key,
      keys integer not null,
      slots integer not null,
      at bigint not null
    );
  `,
}

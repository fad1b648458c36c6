import type { Migration } from '@coding-plans/runtime'

/** What a life has beside paid terms: grace, granted days, restock wishes, and its user's deletion. */
export const lives: Migration = {
  name: '004_lives',
  up: `
    alter table subscriptions
      drop constraint subscriptions_status_check,
      add constraint subscriptions_status_check check (status in ('active', 'past_due', 'ended')),
      add column grace_ends_at bigint,
      -- The last top-up that was asked for a term of it: boundary, id, outcome.
      add column top_up jsonb,
      add column served_until bigint,
      add constraint past_due_has_a_deadline check ((status = 'past_due') = (grace_ends_at is not null) or status = 'ended');
    alter table terms
      drop constraint terms_kind_check,
      add constraint terms_kind_check check (kind in ('activation', 'extension', 'renewal', 'grant'));
    alter table sagas
      drop constraint sagas_kind_check,
      add constraint sagas_kind_check check (kind in ('activation', 'extension', 'renewal', 'end', 'erasure'));
    -- The tombstone of a deleted user; one deletion each, for ever.
    alter table buyers add column erased_at bigint;
    create unique index one_erasure_per_user on sagas (user_id) where kind = 'erasure';

    create table stocks (
      plan_id text primary key,
      version bigint not null,
      available integer not null check (available >= 0),
      sellable_until bigint,
      -- How often it was restocked: what a notice is known by.
      restocks bigint not null default 0
    );

    -- Kept when told and when withdrawn; written under the lock of the plan, as restocks are.
    create table wishes (
      user_id text not null references buyers,
      plan_id text not null,
      lane smallint not null,
      wished boolean not null,
      version bigint not null,
      asked_at bigint not null,
      sequence bigint generated always as identity,
      notice bigint,
      notice_at bigint,
      primary key (plan_id, user_id),
      check ((notice is null) = (notice_at is null) and (wished or notice is null))
    );
    create index wishes_by_user on wishes (user_id) where wished;
    create index wishes_to_tell on wishes (lane, notice_at) where notice is not null;
  `,
}

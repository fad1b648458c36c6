import type { Migration } from '@coding-plans/runtime'

const terms: Migration = {
  name: '001_terms',
  up: `
    create table terms (
      subscription_id text primary key,
      user_id text not null,
      lane smallint not null,
      boundary bigint not null,
      created_at bigint not null,
      version bigint not null,
      state text not null check (state in ('waiting', 'said', 'answered', 'ended')),
      attempt integer not null default 0 check (attempt >= 0),
      retry_at bigint
    );
    create index terms_waiting on terms (boundary, created_at, subscription_id) where state = 'waiting';
    create index terms_said on terms (boundary) where state = 'said';
    create index terms_open_by_user on terms (user_id, boundary) where state in ('waiting', 'said');
    -- Raised by whatever changes terms; outside transactions on purpose, so that no row makes all lanes wait for one another.
    create sequence term_generation;
    select nextval('term_generation');
  `,
}

const clock: Migration = {
  name: '002_clock',
  up: `
    create table clock (
      id text primary key check (id = 'clock'),
      mode text not null check (mode in ('system', 'test')),
      now bigint not null,
      version bigint not null,
      operation_id text,
      target bigint,
      horizon bigint,
      moved_at bigint,
      check (num_nulls(operation_id, target, horizon, moved_at) in (0, 4)),
      check (now <= horizon and horizon <= target)
    );
    create table advances (
      operation_id text primary key,
      turn bigint generated always as identity,
      to_instant bigint,
      by_duration text,
      actor text not null,
      answered_at bigint
    );
    create index advances_waiting on advances (turn) where answered_at is null;
  `,
}

const dues: Migration = {
  name: '003_dues',
  up: `
    -- What is said next of a term, and when: soon, over, the end of the time it was given.
    alter table terms
      add column what text not null default 'period_ended'
        check (what in ('renewal_due_soon', 'period_ended', 'grace_ended', 'top_up_wait_ended')),
      add column due bigint,
      add column free boolean not null default false;
    update terms set due = boundary;
    alter table terms alter column due set not null, alter column what drop default, alter column free drop default;
    drop index terms_waiting, terms_said, terms_open_by_user;
    create index terms_waiting on terms (due, created_at, subscription_id) where state = 'waiting';
    create index terms_said on terms (due) where state = 'said';
    create index terms_open_by_user on terms (user_id, due) where state in ('waiting', 'said');

    alter table terms set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
    alter table clock add column outage boolean not null default false;
    alter table advances add column outage boolean not null default false;

    -- What came of due messages, for ever; a tick is the difference.
    create table tallies (
      lane smallint not null,
      outcome text not null,
      count bigint not null,
      primary key (lane, outcome)
    );
    create table ticks (
      operation_id text primary key,
      -- null: where the test clock goes to.
      as_of bigint,
      asked_at bigint not null,
      -- Wall clock: answered then with what has come of it so far.
      wait_until bigint not null,
      before jsonb not null,
      answered_at bigint
    );
    create index ticks_waiting on ticks (asked_at) where answered_at is null;
  `,
}

export const migrations: Migration[] = [terms, clock, dues]

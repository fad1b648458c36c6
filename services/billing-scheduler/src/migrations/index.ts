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

export const migrations: Migration[] = [terms, clock]

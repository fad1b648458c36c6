import type { Migration } from '@coding-plans/runtime'

/** A slot's row stays when it is emptied: its version goes on. */
export const slots: Migration = {
  name: '002_slots',
  up: `
    create table slots (
      user_id text not null,
      provider_id text not null,
      managed_by text not null default 'none' check (managed_by in ('none', 'user', 'plan')),
      subscription_id text unique,
      key_id text unique references keys,
      enabled boolean not null default false,
      masked text,
      created_at bigint not null,
      updated_at bigint not null,
      version bigint not null default 0,

      ciphertext bytea,
      wrapped_key bytea,
      wrapping_key_id text,

      primary key (user_id, provider_id),
      constraint plan_names_its_key check (num_nonnulls(subscription_id, key_id) =
        case managed_by when 'plan' then 2 else 0 end),
      constraint user_locks_their_own check (num_nonnulls(ciphertext, wrapped_key, wrapping_key_id) =
        case managed_by when 'user' then 3 else 0 end),
      constraint empty_shows_nothing check ((masked is null) = (managed_by = 'none'))
    );

    -- What was answered to a user's command, and to a purchase that got no key: said again if it comes again (IDE-4).
    create table answers (
      operation_id text primary key,
      user_id text not null,
      provider_id text not null,
      name text not null,
      body jsonb not null,
      answered_at timestamptz not null default now()
    );
    create index answers_by_slot on answers (user_id, provider_id);

    -- The last minute's reveals, in real time.
    create table reveals (
      id bigint generated always as identity primary key,
      user_id text not null,
      revealed_at timestamptz not null default clock_timestamp()
    );
    create index reveals_by_user on reveals (user_id, revealed_at);
  `,
}

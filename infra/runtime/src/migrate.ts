import type { Knex } from 'knex'
import { openDatabase } from './database.ts'

/** One step of a database's history, as plain SQL. Names never change and sort in the order they run. */
export interface Migration {
  readonly name: string
  readonly up: string
}

/** What delivery needs in every service's database (protocol.md 1 and 2). */
const delivery: Migration = {
  name: '000_delivery',
  up: `
    create table lanes (
      lane smallint primary key,
      epoch bigint not null default 0,
      owner text,
      positions jsonb not null default '{}'
    );
    create table seen (
      source text not null,
      id uuid not null,
      seen_at timestamptz not null default now(),
      primary key (source, id)
    );
    create index seen_by_age on seen using brin (seen_at);
    create table outbox (
      seq bigint generated always as identity primary key,
      lane smallint not null,
      topic text not null,
      key text not null,
      value bytea not null,
      headers jsonb not null,
      accepted boolean not null default false,
      created_at timestamptz not null default now()
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
    create index outbox_by_lane on outbox (lane, seq);
    create table effects (
      id text primary key,
      lane smallint not null,
      kind text not null,
      request jsonb not null,
      key text not null,
      correlation_id text not null,
      time bigint not null,
      attempts integer not null default 0,
      state text not null default 'open' check (state in ('open', 'listed')),
      first_called_at timestamptz,
      next_call_at timestamptz not null default now()
    );
    create index effects_due on effects (lane, next_call_at) where state = 'open';
  `,
}

/** Where a record goes does not always follow from its key: compacted topics have longer keys than users. */
const destinations: Migration = {
  name: '000_destinations',
  up: `
    alter table outbox add column partition smallint;
    -- What was accepted and not published is looked for every second; the rest comes and goes by the thousand.
    create index outbox_accepted on outbox (lane, seq) where accepted;
  `,
}

/** A row for all that one transaction says on one lane, instead of one for each message. */
const parcels: Migration = {
  name: '000_parcels',
  up: `
    alter table outbox
      add column parcel bytea,
      alter column topic drop not null, alter column key drop not null,
      alter column value drop not null, alter column headers drop not null,
      add constraint outbox_says_something check (parcel is not null or num_nulls(topic, key, value, headers) = 0);
    -- It lives for milliseconds: not worth compressing.
    alter table outbox alter column parcel set storage external;
  `,
}

/**
 * What lies in the service's dead-letter topics, where a person can find it, rehearse it and send it again. Its name sorts
 * before those that were there before it; it needs none of them.
 */
const deadLetters: Migration = {
  name: '000_dead_letters',
  up: `
    create table dead_letters (
      id uuid primary key,
      topic text not null,
      partition smallint not null,
      record_offset bigint not null,
      key text not null,
      value bytea not null,
      headers jsonb not null,
      message_name text not null,
      message_id text,
      reason text not null,
      correlation_id text not null,
      subject text not null,
      died_at bigint not null,
      redrives integer not null default 0,
      state text not null default 'kept' check (state in ('kept', 'redriving', 'redriven')),
      version bigint not null default 1,
      operation_id text,
      redriven_at bigint,
      forget_at timestamptz not null
    );
    create index dead_letters_kept on dead_letters (id) where state <> 'redriven';
    create index dead_letters_by_age on dead_letters (forget_at);
  `,
}

/** What is said of a call names the message that asked for it, so that every chain of causes closes. */
const causes: Migration = {
  name: '000_reasons_of_calls',
  up: 'alter table effects add column cause_id uuid',
}

/** Of what was buried too the id is known, so that a second copy is. */
const deadIds: Migration = {
  name: '000_seen_dead',
  up: 'alter table seen add column dead boolean not null default false',
}

/** Bring a service's database to its newest form. Run by `infra/local` and by deployment, never by a running service. */
export const migrate = async (databaseUrl: string, migrations: readonly Migration[]): Promise<void> => {
  const knex = openDatabase(databaseUrl, { idleInTransactionMilliseconds: 60_000 }, 2)
  const all = [deadLetters, delivery, destinations, parcels, causes, deadIds, ...migrations]
  const migrationSource: Knex.MigrationSource<Migration> = {
    getMigrations: async () => all,
    getMigrationName: ({ name }) => name,
    getMigration: async ({ up }) => ({ up: (tx) => tx.raw(up), down: async () => {} }),
  }
  try {
    await knex.migrate.latest({ migrationSource })
  } finally {
    await knex.destroy()
  }
}

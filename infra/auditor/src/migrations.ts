import type { Migration } from '@coding-plans/runtime'

/** Texts are compared as they are: what a round did not change is not written. */
const facts: Migration = {
  name: '001_facts',
  up: `
    create table facts (
      kind text not null,
      id text not null,
      value text not null,
      -- What must never be so, and is or was.
      findings integer not null default 0,
      -- [{check, about, detail, since}]: what must not stay so.
      passing text,
      primary key (kind, id)
    ) with (fillfactor = 70);
    create index facts_amiss on facts (kind, id) where findings > 0 or passing is not null;
  `,
}

const messages: Migration = {
  name: '002_messages',
  up: `
    -- Every message by its place, for as long as the entries it may explain: for ever.
    create table messages (
      id uuid primary key,
      name text not null,
      source text not null,
      topic text not null,
      partition smallint not null,
      record_offset bigint not null,
      at bigint not null,
      cause_id uuid
    );
    create table questions (
      operation_id text primary key,
      lane smallint not null,
      user_id text not null,
      entry_id text not null,
      asked_at bigint not null
    );
    -- The last report that was said.
    create table report (
      one boolean primary key default true check (one),
      version bigint not null,
      said_at bigint not null,
      verdict text not null
    );
  `,
}

/** The auditor's database, in the order its steps run. */
export const migrations: readonly Migration[] = [facts, messages]

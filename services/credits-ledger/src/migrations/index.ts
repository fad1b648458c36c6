import type { Migration } from '@coding-plans/runtime'

// Beyond this a number is no safe integer in JavaScript.
const MONEY = 'bigint not null default 0 check (%s between -9007199254740991 and 9007199254740991)'
const money = (column: string) => `${column} ${MONEY.replace('%s', column)}`

const accounts: Migration = {
  name: '001_accounts',
  up: `
    create table accounts (
      user_id text primary key,
      ${money('available')},
      ${money('held')} check (held >= 0),
      ${money('revenue')},
      ${money('funding')},
      ${money('promotion')},
      ${money('refund')},
      version bigint not null default 0 check (version >= 0),
      last_at bigint not null default 0,
      hash text not null default repeat('0', 64),
      constraint accounts_sum_to_zero check (available + held + revenue + funding + promotion + refund = 0)
    );
  `,
}

const transfers: Migration = {
  name: '002_transfers',
  up: `
    create table transfers (
      id text primary key,
      user_id text not null,
      sequence bigint not null check (sequence > 0),
      kind text not null,
      amount bigint not null check (amount > 0),
      from_account text not null,
      to_account text not null,
      available_after bigint not null,
      held_after bigint not null check (held_after >= 0),
      at bigint not null,
      hold_id text,
      operation_id text,
      subscription_id text,
      charge_id text,
      boundary bigint,
      description text,
      actor text,
      cause text not null,
      hash text not null,
      -- Two writers that did not see each other would both have to take the same number.
      constraint transfers_one_chain unique (user_id, sequence),
      constraint transfers_one_way check ((kind, from_account, to_account) in (
        ('hold', 'available', 'held'),
        ('release', 'held', 'available'),
        ('charge', 'held', 'revenue'),
        ('grant', 'promotion', 'available'),
        ('payment', 'funding', 'available'),
        ('adjustment', 'promotion', 'available'),
        ('adjustment', 'available', 'promotion'))),
      -- available does not fall, or stays at nothing or more, or it is an operator's adjustment
      constraint transfers_floor check (from_account <> 'available' or available_after >= 0 or kind = 'adjustment'),
      constraint transfers_cause check (case
        when kind in ('hold', 'release') then num_nulls(hold_id, subscription_id) = 0
        when kind = 'charge' then num_nulls(hold_id, subscription_id, charge_id, boundary, description) = 0
        else num_nulls(operation_id, actor, description) = 0 end)
    );
    create unique index transfers_end_a_hold_once on transfers (hold_id) where kind in ('release', 'charge');
    create unique index transfers_post_an_operation_once on transfers (operation_id)
      where kind in ('grant', 'payment', 'adjustment');
    create function refuse_change() returns trigger language plpgsql as $$
      begin
        raise exception 'Transfers are never changed; a correction is a new one.';
      end $$;
    create trigger transfers_stay before update or delete or truncate on transfers
      for each statement execute function refuse_change();
  `,
}

const holds: Migration = {
  name: '003_holds',
  up: `
    create table holds (
      hold_id text primary key,
      user_id text not null,
      amount bigint not null check (amount > 0),
      state text not null check (state in ('open', 'captured', 'released')),
      subscription_id text not null,
      boundary bigint,
      purpose text not null,
      operation_id text,
      opened_at bigint not null,
      closed_at bigint,
      charge_id text,
      entry_id text,
      check ((state = 'open') = (closed_at is null)),
      check (num_nulls(charge_id, entry_id, boundary) = 0 or state <> 'captured'),
      check (num_nonnulls(charge_id, entry_id) = 0 or state = 'captured')
    );
    create unique index holds_charge_a_term_once on holds (subscription_id, boundary) where state = 'captured';
    create index holds_open on holds (opened_at) where state = 'open';
    create index holds_by_user on holds (user_id);
    create function refuse_second_end() returns trigger language plpgsql as $$
      begin
        raise exception 'Hold % is % already.', old.hold_id, old.state;
      end $$;
    create trigger holds_end_once before update on holds
      for each row when (old.state <> 'open') execute function refuse_second_end();
    create table declines (
      hold_id text primary key,
      user_id text not null,
      required bigint not null check (required > 0),
      available bigint not null check (available < required),
      version bigint not null,
      declined_at timestamptz not null default now()
    );
    create index declines_by_user on declines (user_id, declined_at);
  `,
}

const refunds: Migration = {
  name: '004_refunds',
  up: `
    alter table transfers
      drop constraint transfers_one_way,
      drop constraint transfers_cause,
      add constraint transfers_one_way check ((kind, from_account, to_account) in (
        ('hold', 'available', 'held'),
        ('release', 'held', 'available'),
        ('charge', 'held', 'revenue'),
        ('grant', 'promotion', 'available'),
        ('payment', 'funding', 'available'),
        ('adjustment', 'promotion', 'available'),
        ('adjustment', 'available', 'promotion'),
        ('refund', 'refund', 'available'))),
      add constraint transfers_cause check (case
        when kind in ('hold', 'release') then num_nulls(hold_id, subscription_id) = 0
        when kind = 'charge' then num_nulls(hold_id, subscription_id, charge_id, boundary, description) = 0
        when kind = 'refund' then num_nulls(operation_id, subscription_id, charge_id, description) = 0
        else num_nulls(operation_id, actor, description) = 0 end);
    create unique index transfers_refund_once on transfers (charge_id) where kind = 'refund';
  `,
}

const topUps: Migration = {
  name: '005_top_ups',
  up: `
    alter table accounts add column closed_at bigint;
    alter table declines
      add column reason text not null default 'insufficient_credits'
        check (reason in ('insufficient_credits', 'user_deleted')),
      drop constraint declines_check,
      add constraint declines_check check (available < required or reason = 'user_deleted');
    alter table transfers
      drop constraint transfers_one_way,
      drop constraint transfers_cause,
      add constraint transfers_one_way check ((kind, from_account, to_account) in (
        ('hold', 'available', 'held'),
        ('release', 'held', 'available'),
        ('charge', 'held', 'revenue'),
        ('grant', 'promotion', 'available'),
        ('payment', 'funding', 'available'),
        ('adjustment', 'promotion', 'available'),
        ('adjustment', 'available', 'promotion'),
        ('refund', 'refund', 'available'),
        ('top_up', 'funding', 'available'))),
      add constraint transfers_cause check (case
        when kind in ('hold', 'release') then num_nulls(hold_id, subscription_id) = 0
        when kind = 'charge' then num_nulls(hold_id, subscription_id, charge_id, boundary, description) = 0
        when kind = 'refund' then num_nulls(operation_id, subscription_id, charge_id, description) = 0
        when kind = 'top_up' then num_nulls(operation_id, description) = 0
        else num_nulls(operation_id, actor, description) = 0 end);
    create unique index transfers_top_up_once on transfers (operation_id) where kind = 'top_up';

    create table auto_top_ups (
      user_id text primary key,
      enabled boolean not null,
      amount bigint not null check (amount >= 0),
      payment_method_id text,
      version bigint not null,
      set_at bigint not null,
      operation_id text,
      constraint enabled_whole check (not enabled or (amount > 0 and payment_method_id is not null))
    );
    -- The marker is here before the call is made; one attempt each, for ever.
    create table top_ups (
      top_up_id text primary key,
      user_id text not null,
      state text not null check (state in ('asked', 'paid', 'declined', 'off', 'closed', 'returned')),
      amount bigint not null check (amount > 0),
      payment_method_id text,
      payment_id text,
      asked_at bigint not null,
      constraint paid_by_something check ((payment_id is not null) = (state in ('paid', 'returned')))
    );
    create table operations (
      operation_id text primary key,
      asked_at timestamptz not null default now()
    );
    create index operations_by_age on operations (asked_at);
  `,
}

const verifiedMethods: Migration = {
  name: '006_verified_methods',
  up: `
    alter table auto_top_ups
      add column customer_id text,
      add column turns bigint not null default 0,
      add column enabled_turn bigint not null default 0,
      add column amount_turn bigint not null default 0,
      add column method_turn bigint not null default 0,
      add constraint nobodys_method check (payment_method_id is not null or customer_id is null);
    -- What was asked before this was set at once; whose it was, and what it said, nobody asks any more.
    alter table operations
      add column user_id text not null default '',
      add column state text not null default 'set'
        check (state in ('asked', 'set', 'incomplete', 'method_not_yours', 'user_deleted')),
      add column turn bigint not null default 0,
      add column enabled boolean not null default false,
      add column amount bigint,
      add column payment_method_id text;
    create index operations_by_user on operations (user_id);
    create index top_ups_by_user on top_ups (user_id);
  `,
}

const room: Migration = {
  name: '007_room',
  // For the next version of a row in its page: a change of what no index names then touches none.
  up: 'alter table accounts set (fillfactor = 80)',
}

export const migrations: Migration[] = [accounts, transfers, holds, refunds, topUps, verifiedMethods, room]

import pg from 'pg'
import { catalogue, inventory } from './schema-goods.ts'

// Instants are epoch milliseconds, money whole microdollars; columns and constraints are those of our five services.
const money = (column: string) =>
  `${column} bigint not null default 0 check (${column} between -9007199254740991 and 9007199254740991)`

// One transaction takes the price and gives the key, so no hold is ever needed: a purchase is one `charge` from available to
// revenue. `held` stays, at nothing: the accounts are the same six.
const ledger = `
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
    closed_at bigint,
    constraint accounts_sum_to_zero check (available + held + revenue + funding + promotion + refund = 0)
  );

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
    constraint transfers_one_chain unique (user_id, sequence),
    constraint transfers_one_way check ((kind, from_account, to_account) in (
      ('charge', 'available', 'revenue'),
      ('grant', 'promotion', 'available'),
      ('payment', 'funding', 'available'),
      ('adjustment', 'promotion', 'available'),
      ('adjustment', 'available', 'promotion'),
      ('refund', 'refund', 'available'),
      ('top_up', 'funding', 'available'))),
    constraint transfers_floor check (from_account <> 'available' or available_after >= 0 or kind = 'adjustment'),
    constraint transfers_cause check (case
      when kind = 'charge' then num_nulls(subscription_id, charge_id, boundary, description) = 0
      when kind = 'refund' then num_nulls(operation_id, subscription_id, charge_id, description) = 0
      when kind = 'top_up' then num_nulls(operation_id, description) = 0
      else num_nulls(operation_id, actor, description) = 0 end)
  );
  create unique index transfers_charge_once on transfers (charge_id) where kind = 'charge';
  create unique index transfers_refund_once on transfers (charge_id) where kind = 'refund';
  create unique index transfers_post_an_operation_once on transfers (operation_id)
    where kind in ('grant', 'payment', 'adjustment', 'top_up');
  create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception 'Transfers are never changed; a correction is a new one.';
    end $$;
  create trigger transfers_stay before update or delete or truncate on transfers
    for each statement execute function refuse_change();
`

const subscriptions = `
  create table subscriptions (
    id text primary key,
    user_id text not null references accounts,
    provider_id text not null,
    plan_id text not null,
    plan_version integer not null,
    plan_name text not null,
    price bigint not null check (price >= 0),
    period_unit text not null check (period_unit in ('day', 'month')),
    period_count integer not null check (period_count > 0),
    grace_hours integer not null,
    max_prepaid_periods integer not null,
    repurchase text not null check (repurchase in ('extend', 'reject')),
    ownership text not null,
    reveal boolean not null,
    upstream_revocation text not null,
    low_stock_threshold integer not null,
    status text not null check (status in ('active', 'past_due', 'ended')),
    current_period_start bigint not null,
    current_period_end bigint not null,
    anchor bigint not null,
    anchor_periods integer not null check (anchor_periods >= 0),
    canceled_at bigint,
    canceled_by text check (canceled_by in ('user', 'operator')),
    access_until bigint,
    grace_ends_at bigint,
    top_up jsonb,
    end_reason text check (end_reason in
      ('user_canceled', 'insufficient_credits', 'admin_terminated', 'account_deleted', 'dispute')),
    ended_at bigint,
    previous_subscription_id text unique references subscriptions,
    created_at bigint not null,
    version bigint not null,
    check (current_period_start < current_period_end),
    constraint canceled_whole check (num_nonnulls(canceled_at, canceled_by) in (0, 2)),
    constraint ending_has_a_reason check ((access_until is null) = (end_reason is null)),
    constraint ended_whole
      check ((ended_at is not null) = (status = 'ended') and (ended_at is null or ended_at = access_until)),
    constraint past_due_has_a_deadline check ((status = 'past_due') = (grace_ends_at is not null) or status = 'ended'),
    foreign key (plan_id, plan_version) references plan_versions
  );
  create unique index one_live_per_user_and_provider on subscriptions (user_id, provider_id) where status <> 'ended';
  create index episodes on subscriptions (user_id, plan_id);
  create index subscriptions_of_user on subscriptions (user_id, created_at desc, id desc);
  create index subscriptions_newest on subscriptions (created_at desc, id desc);
  create index subscriptions_due on subscriptions (current_period_end, created_at, id)
    where status <> 'ended' and canceled_at is null;

  create table charges (
    id text primary key,
    subscription_id text not null references subscriptions,
    boundary bigint not null,
    ends_at bigint not null,
    kind text not null check (kind in ('activation', 'extension', 'renewal', 'grant')),
    amount bigint not null check (amount >= 0),
    at bigint not null,
    description text not null,
    check (boundary < ends_at),
    constraint charges_a_term_once unique (subscription_id, boundary)
  );
`

const answers = `
  create table operations (
    id text primary key,
    caller text not null,
    kind text not null,
    subject text not null,
    started_at bigint not null,
    answer jsonb not null,
    finished_at bigint not null,
    accepted_at timestamptz not null default now()
  );
  create index operations_of_subject on operations (subject);
  create index operations_by_age on operations using brin (accepted_at);

  -- Kept with a success alone: a refusal rolls its key back.
  create table idempotency_keys (
    scope bytea primary key,
    request bytea not null,
    operation_id text not null,
    made_at timestamptz not null default now()
  );

  create table notifications (
    id text primary key,
    sequence bigint generated always as identity,
    user_id text not null,
    at bigint not null,
    kind text not null,
    subscription_id text,
    plan_id text,
    data jsonb not null
  );
  create index notifications_of_user on notifications (user_id, at desc, sequence desc);

  -- Who did what: what webhooks are sent from.
  create table events (
    sequence bigint generated always as identity primary key,
    name text not null,
    user_id text not null,
    subscription_id text,
    at bigint not null,
    body jsonb not null
  );
`

/** Make the schema in an empty database. */
export const createSchema = async (databaseUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query([ledger, catalogue, inventory, subscriptions, answers].join('\n'))
  } finally {
    await client.end()
  }
}

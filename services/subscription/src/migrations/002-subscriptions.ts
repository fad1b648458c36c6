import type { Migration } from '@coding-plans/runtime'

/** Exclusivity is here: one live subscription per user and provider (SUB-6), one paid term per subscription and boundary (REN-3). */
export const subscriptions: Migration = {
  name: '002_subscriptions',
  up: `
    -- A user who tried to buy: the lock of everything that is theirs.
    create table buyers (
      user_id text primary key,
      reached bigint not null default 0
    );

    create table subscriptions (
      id text primary key,
      user_id text not null references buyers,
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
      status text not null check (status in ('active', 'ended')),
      current_period_start bigint not null,
      current_period_end bigint not null,
      anchor bigint not null,
      anchor_periods integer not null check (anchor_periods >= 0),
      canceled_at bigint,
      canceled_by text check (canceled_by in ('user', 'operator')),
      canceled_in text,
      access_until bigint,
      end_reason text check (end_reason in
        ('user_canceled', 'insufficient_credits', 'admin_terminated', 'account_deleted', 'dispute')),
      ended_at bigint,
      previous_subscription_id text unique references subscriptions,
      created_at bigint not null,
      version bigint not null,
      check (current_period_start < current_period_end),
      constraint canceled_whole check (num_nonnulls(canceled_at, canceled_by, canceled_in) in (0, 3)),
      constraint ending_has_a_reason check ((access_until is null) = (end_reason is null)),
      constraint ended_whole
        check ((ended_at is not null) = (status = 'ended') and (ended_at is null or ended_at = access_until)),
      foreign key (plan_id, plan_version) references plan_versions
    );
    create unique index one_live_per_user_and_provider on subscriptions (user_id, provider_id) where status <> 'ended';
    create index episodes on subscriptions (user_id, plan_id);

    create table terms (
      subscription_id text not null references subscriptions,
      boundary bigint not null,
      ends_at bigint not null,
      kind text not null check (kind in ('activation', 'extension', 'renewal')),
      amount bigint not null check (amount >= 0),
      charge_id text unique,
      primary key (subscription_id, boundary),
      check (boundary < ends_at),
      constraint a_paid_term_has_a_charge check ((charge_id is null) = (amount = 0))
    );
  `,
}

import type { Migration } from '@coding-plans/runtime'

/** Instants are epoch milliseconds, money whole microdollars. The plan's row is the lock under which it gets a new version. */
export const catalogue: Migration = {
  name: '001_catalogue',
  up: `
    create table plan_versions (
      plan_id text not null,
      version integer not null,
      operation_id text,
      published_by text not null,
      published_at bigint not null,
      provider_id text not null,
      provider_name text not null,
      name text not null,
      features text[] not null,
      models text[] not null,
      price bigint not null check (price >= 0),
      period_unit text not null check (period_unit in ('day', 'month')),
      period_count integer not null check (period_count > 0),
      ownership text not null check (ownership in ('user', 'operator')),
      reveal boolean not null,
      upstream_revocation text not null check (upstream_revocation in ('never', 'manual', 'automatic')),
      repurchase text not null check (repurchase in ('extend', 'reject')),
      grace_hours integer not null check (grace_hours >= 0),
      max_prepaid_periods integer not null check (max_prepaid_periods >= 0),
      low_stock_threshold integer not null check (low_stock_threshold >= 0),
      position integer not null,
      sale_state text not null check (sale_state in ('open', 'closed', 'hidden')),
      primary key (plan_id, version)
    );

    create table plans (
      plan_id text primary key,
      version integer not null,
      foreign key (plan_id, version) references plan_versions
    );

    -- What was asked for: a copy of a command changes nothing, whatever became of the first (IDE-4).
    create table operations (
      operation_id text primary key,
      asked_at timestamptz not null default now()
    );
    create index operations_by_age on operations (asked_at);
  `,
}

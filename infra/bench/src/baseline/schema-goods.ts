/** What is sold, and at which price. */
export const catalogue = `
  create table plan_versions (
    plan_id text not null,
    version integer not null,
    published_by text not null,
    published_at bigint not null,
    provider_id text not null,
    provider_name text not null,
    name text not null,
    features text[] not null default '{}',
    models text[] not null default '{}',
    price bigint not null check (price >= 0),
    period_unit text not null check (period_unit in ('day', 'month')),
    period_count integer not null check (period_count > 0),
    ownership text not null default 'user' check (ownership in ('user', 'operator')),
    reveal boolean not null default true,
    upstream_revocation text not null default 'never' check (upstream_revocation in ('never', 'manual', 'automatic')),
    repurchase text not null default 'extend' check (repurchase in ('extend', 'reject')),
    grace_hours integer not null default 0 check (grace_hours >= 0),
    max_prepaid_periods integer not null default 12 check (max_prepaid_periods >= 0),
    low_stock_threshold integer not null default 0 check (low_stock_threshold >= 0),
    position integer not null default 0,
    sale_state text not null default 'open' check (sale_state in ('open', 'closed', 'hidden')),
    primary key (plan_id, version)
  );
  create table plans (
    plan_id text primary key,
    version integer not null,
    foreign key (plan_id, version) references plan_versions
  );
`

/** What was bought to be sold, and where it is. Who counts keys counts keys: counters in the stock's row would make buyers queue. */
export const inventory = `
  create table stock (
    plan_id text primary key,
    provider_id text not null,
    uploaded bigint not null default 0,
    low_stock_threshold integer not null default 0
  );
  create table keys (
    id text primary key,
    plan_id text not null references stock,
    provider_id text not null,
    state text not null check (state in
      ('available', 'quarantined', 'assigned', 'revocation_pending', 'revoked', 'revocation_failed', 'retired')),
    fingerprint bytea not null unique,
    masked text not null,
    upstream_plan_id text,
    expires_at bigint,
    sequence bigint not null,
    uploaded_at bigint not null,
    attempts integer not null default 0 check (attempts >= 0),
    last_error text,

    user_id text,
    subscription_id text,
    assigned_at bigint,
    ownership text check (ownership in ('user', 'operator')),
    reveal boolean,
    upstream_revocation text check (upstream_revocation in ('never', 'manual', 'automatic')),
    ended_at bigint,

    ciphertext bytea,
    wrapped_key bytea,
    wrapping_key_id text,

    unique (plan_id, sequence),
    constraint assigned_whole check (num_nonnulls(assigned_at, ownership, reveal, upstream_revocation) in (0, 4)),
    constraint linked_whole check (num_nonnulls(user_id, subscription_id) in (0, 2)
      and (user_id is null or assigned_at is not null)),
    constraint assigned_for_life check ((assigned_at is null) = (state in ('available', 'quarantined', 'retired'))),
    constraint ended_was_assigned check (ended_at is null or assigned_at is not null),
    constraint locked_whole check (num_nonnulls(ciphertext, wrapped_key, wrapping_key_id) in (0, 3)),
    constraint erased_when_evidence
      check ((ciphertext is null) = (state = 'revoked' or (state = 'assigned' and ended_at is not null)))
  );
  create index keys_to_sell on keys (plan_id, sequence) where state = 'available';
  create index keys_by_user on keys (user_id) where user_id is not null;
  create unique index one_key_serves_a_subscription on keys (subscription_id) where ended_at is null;

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
    version bigint not null default 1,

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
`

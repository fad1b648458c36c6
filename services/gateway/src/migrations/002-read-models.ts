/** What events have taught. Every row goes by its owner's version, never backwards. */
export const readModels = {
  name: '002_read_models',
  up: `
    create table plans (
      plan_id text primary key,
      version integer not null,
      provider_id text not null,
      provider_name text not null,
      name text not null,
      features jsonb not null,
      models jsonb not null,
      price bigint not null,
      period_unit text not null,
      period_count integer not null,
      ownership text not null,
      reveal boolean not null,
      upstream_revocation text not null,
      repurchase text not null,
      grace_hours integer not null,
      max_prepaid_periods integer not null,
      low_stock_threshold integer not null,
      position integer not null,
      sale_state text not null,
      published_by text not null,
      published_at bigint not null
    );
    create table plan_versions (like plans including defaults, primary key (plan_id, version));
    create index plan_versions_by_provider on plan_versions (provider_id);

    create table stock (
      plan_id text primary key,
      provider_id text not null,
      version bigint not null,
      available integer not null,
      quarantined integer not null,
      assigned integer not null,
      revocation_pending integer not null,
      revoked integer not null,
      revocation_failed integer not null,
      retired integer not null,
      sellable_until bigint
    );
    create table keys (
      key_id text primary key,
      sequence bigint generated always as identity,
      plan_id text not null,
      state text not null,
      upstream_plan_id text,
      uploaded_at bigint not null,
      assigned_at bigint,
      subscription_id text
    );
    create index keys_newest on keys (uploaded_at desc, sequence desc);
    create index keys_by_plan on keys (plan_id, uploaded_at desc, sequence desc);

    create table subscriptions (
      id text primary key,
      sequence bigint generated always as identity,
      user_id text not null,
      plan_id text not null,
      plan_name text not null,
      provider_id text not null,
      status text not null check (status in ('active', 'past_due', 'ended')),
      cancel_at_period_end boolean not null,
      price bigint not null,
      period_unit text not null,
      period_count integer not null,
      current_period_start bigint not null,
      current_period_end bigint not null,
      -- Set when its end has begun.
      access_until bigint,
      ended_at bigint,
      end_reason text,
      previous_subscription_id text,
      created_at bigint not null,
      version bigint not null,
      -- The operation of its last activation or extension (EXT-3).
      purchased_by text not null,
      -- What its beginning and its end rest on.
      account_version bigint,
      slot_version bigint not null,
      end_slot_version bigint
    );
    create index subscriptions_of_user on subscriptions (user_id, created_at desc, sequence desc);
    create index subscriptions_newest on subscriptions (created_at desc, sequence desc);
    create index subscriptions_live on subscriptions (user_id, provider_id) where status <> 'ended';

    create table charges (
      id text primary key,
      sequence bigint generated always as identity,
      subscription_id text not null,
      kind text not null,
      amount bigint not null check (amount >= 0),
      period_start bigint not null,
      period_end bigint not null,
      at bigint not null,
      description text not null
    );
    create index charges_of_subscription on charges (subscription_id, at desc, sequence desc);

    create table accounts (
      user_id text primary key,
      version bigint not null,
      balance bigint not null,
      held bigint not null,
      at bigint not null
    );
    -- Every change of an account, in its order; those with an entry id are lines of the statement.
    create table movements (
      user_id text not null,
      version bigint not null,
      at bigint not null,
      kind text not null,
      entry_id text,
      amount bigint not null,
      balance_after bigint not null,
      held_after bigint not null,
      description text,
      subscription_id text,
      charge_id text,
      primary key (user_id, version)
    );
    create index movements_by_time on movements (user_id, at desc, version desc);
    create index statement on movements (user_id, version desc) where entry_id is not null;

    create table slots (
      user_id text not null,
      provider_id text not null,
      managed_by text not null check (managed_by in ('none', 'user', 'plan')),
      subscription_id text,
      enabled boolean not null,
      masked_key text,
      created_at bigint not null,
      updated_at bigint not null,
      version bigint not null,
      primary key (user_id, provider_id)
    );

    create table clock (
      one boolean primary key default true check (one),
      now bigint not null,
      settled boolean not null,
      version bigint not null
    );

    create table audit (
      id text primary key,
      sequence bigint generated always as identity,
      at bigint not null,
      actor text not null,
      action text not null,
      target text not null,
      subject text not null,
      before text,
      after text,
      reason text
    );
    create index audit_newest on audit (at desc, sequence desc);
  `,
}

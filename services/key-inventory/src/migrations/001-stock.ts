import type { Migration } from '@coding-plans/runtime'

/** Instants are epoch milliseconds. A stock row is the lock under which its plan's keys change. */
export const stock: Migration = {
  name: '001_stock',
  up: `
    create table stock (
      plan_id text primary key,
      provider_id text not null,
      version bigint not null default 0,
      available integer not null default 0 check (available >= 0),
      quarantined integer not null default 0 check (quarantined >= 0),
      assigned integer not null default 0 check (assigned >= 0),
      revocation_pending integer not null default 0 check (revocation_pending >= 0),
      revoked integer not null default 0 check (revoked >= 0),
      revocation_failed integer not null default 0 check (revocation_failed >= 0),
      retired integer not null default 0 check (retired >= 0),
      uploaded bigint not null default 0,
      low_stock_threshold integer not null default 0,
      check (uploaded = available + quarantined + assigned + revocation_pending + revoked + revocation_failed + retired)
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

      assignment_id text unique,
      user_id text,
      subscription_id text,
      assigned_at bigint,
      ownership text check (ownership in ('user', 'operator')),
      reveal boolean,
      upstream_revocation text check (upstream_revocation in ('never', 'manual', 'automatic')),
      slot_version bigint,
      stock_version bigint,
      ended_at bigint,

      ciphertext bytea,
      wrapped_key bytea,
      wrapping_key_id text,

      unique (plan_id, sequence),
      constraint assigned_whole check (num_nonnulls(assignment_id, user_id, subscription_id, assigned_at, ownership,
        reveal, upstream_revocation, slot_version, stock_version) in (0, 9)),
      constraint assigned_for_life
        check ((assignment_id is null) = (state in ('available', 'quarantined', 'retired'))),
      constraint ended_was_assigned check (ended_at is null or assignment_id is not null),
      constraint locked_whole check (num_nonnulls(ciphertext, wrapped_key, wrapping_key_id) in (0, 3)),
      constraint erased_when_evidence
        check ((ciphertext is null) = (state = 'revoked' or (state = 'assigned' and ended_at is not null)))
    );
    create index keys_to_sell on keys (plan_id, sequence) where state = 'available';
    create index keys_by_expiry on keys (plan_id, expires_at desc nulls first) where state = 'available';
    create index keys_by_subscription on keys (subscription_id) where subscription_id is not null;
    create unique index one_key_serves_a_subscription on keys (subscription_id) where ended_at is null;
  `,
}

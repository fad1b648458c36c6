import type { Migration } from '@coding-plans/runtime'

/** What the entitlements topic says, place by place. A row stays when it is withdrawn: its version goes on. */
export const entitlements: Migration = {
  name: '004_entitlements',
  up: `
    create table entitlements (
      user_id text not null,
      provider_id text not null,
      managed_by text not null check (managed_by in ('none', 'user', 'plan')),
      key_reference text,
      enabled boolean not null,
      subscription_id text,
      grace_hours integer,
      ends_at bigint,
      valid_until bigint,
      subscription_version bigint,
      version bigint not null check (version > 0),
      heard_version bigint not null check (heard_version between 0 and version),

      primary key (user_id, provider_id),
      constraint refers_to_what_is_there check ((key_reference is null) = (managed_by = 'none')),
      constraint only_a_plan_has_a_term check (
        num_nonnulls(subscription_id, grace_hours, ends_at, valid_until, subscription_version) =
        case managed_by when 'plan' then 5 else 0 end)
    );
  `,
}

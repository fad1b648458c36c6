/** What a subscription's whole life shows: grace, top-ups, wishes, notifications, and users that are deleted. */
export const lives = {
  name: '004_lives',
  up: `
    alter table subscriptions
      -- Set while it is past due, and kept when it ends there, so that it is seen past due until its end is seen.
      add column grace_ends_at bigint,
      -- Until when the outcome of a top-up is awaited.
      add column awaited_until bigint;

    alter table keys add column attempts integer not null default 0, add column last_error text;

    create table auto_top_ups (
      user_id text primary key,
      enabled boolean not null,
      amount bigint not null,
      payment_method_id text,
      version bigint not null
    );

    create table wishes (
      user_id text not null,
      plan_id text not null,
      wished boolean not null,
      version bigint not null,
      primary key (user_id, plan_id)
    );
    create index wishes_waiting on wishes (plan_id) where wished;

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

    -- Kept for ever: nobody who is here may ask for anything, and nothing late makes them anew (GDP-1, PER-1).
    create table deleted_users (
      user_id text primary key,
      -- Nothing of them is shown any more; until then what is under way still is.
      forgotten boolean not null,
      -- Wall clock: for a while after it, what another process had under way is looked for and forgotten too.
      forgotten_at timestamptz
    );
    create index deleted_users_lately on deleted_users (forgotten_at);

    -- A key that was asked about and never used is forgotten.
    alter table idempotency_keys add column made_at timestamptz not null default now();
    create index idempotency_keys_unused on idempotency_keys (made_at) where operation_id is null;

    -- The version of the buyer's wish for the plan of stock_plan.
    alter table operations add column wish_version bigint;

    drop view visible_operations;
    create view visible_operations as
    select o.*,
      o.outcome is not null
      and (exists (select from deleted_users d where d.user_id = o.subject and d.forgotten)
      or coalesce(o.account_version, 0) <= coalesce((select a.version from accounts a where a.user_id = o.subject), 0)
      and coalesce(o.slot_version, 0) <= coalesce((
        select s.version from slots s where s.user_id = o.subject and s.provider_id = o.slot_provider), 0)
      and coalesce(o.subscription_version, 0) <= coalesce((
        select s.version from subscriptions s where s.id = o.subscription_id), 0)
      and coalesce(o.stock_version, 0) <= coalesce((select s.version from stock s where s.plan_id = o.stock_plan), 0)
      and coalesce(o.wish_version, 0) <= coalesce((
        select w.version from wishes w where w.user_id = o.subject and w.plan_id = o.stock_plan), 0))
      as visible
    from operations o;
    create index operations_of_subject on operations (subject);
    create index operations_of_caller on operations (caller);

    drop view shown_subscriptions;
    create view shown_subscriptions as
    select s.id, s.sequence, s.user_id, s.plan_id, s.plan_name, s.provider_id, s.cancel_at_period_end, s.price,
      s.period_unit, s.period_count, s.current_period_start, s.current_period_end, s.access_until, s.grace_ends_at,
      s.awaited_until, s.previous_subscription_id, s.created_at,
      case when s.status <> 'ended' or e.seen then s.status when s.grace_ends_at is null then 'active' else 'past_due' end
        as status,
      case when e.seen then s.ended_at end as ended_at,
      case when e.seen then s.end_reason end as end_reason
    from subscriptions s
    left join accounts a on a.user_id = s.user_id
    left join slots l on l.user_id = s.user_id and l.provider_id = s.provider_id
    cross join lateral (select coalesce(s.end_slot_version, 0) <= coalesce(l.version, 0) as seen) e
    where coalesce(s.account_version, 0) <= coalesce(a.version, 0) and s.slot_version <= coalesce(l.version, 0);

    drop view stock_by_plan;
    create view stock_by_plan as
    select p.plan_id, p.provider_id, p.position, coalesce(s.available, 0) as available,
      coalesce(s.quarantined, 0) as quarantined, coalesce(s.assigned, 0) as assigned,
      coalesce(s.revocation_pending, 0) as revocation_pending, coalesce(s.revoked, 0) as revoked,
      coalesce(s.revocation_failed, 0) as revocation_failed, coalesce(s.retired, 0) as retired,
      (select count(*)::integer from wishes w where w.plan_id = p.plan_id and w.wished
        and not exists (select from deleted_users d where d.user_id = w.user_id and d.forgotten)) as waiting
    from plans p left join stock s using (plan_id);
  `,
}

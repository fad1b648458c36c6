/**
 * What may be shown. Lanes are projected independently of each other, so whether an outcome can be read already is judged
 * at the moment of reading; no order between lanes is needed (protocol.md 5).
 */
export const visibility = {
  name: '003_visibility',
  up: `
    create view visible_operations as
    select o.*,
      o.outcome is not null
      and coalesce(o.account_version, 0) <= coalesce((select a.version from accounts a where a.user_id = o.subject), 0)
      and coalesce(o.slot_version, 0) <= coalesce((
        select s.version from slots s where s.user_id = o.subject and s.provider_id = o.slot_provider), 0)
      and coalesce(o.subscription_version, 0) <= coalesce((
        select s.version from subscriptions s where s.id = o.subscription_id), 0)
      and coalesce(o.stock_version, 0) <= coalesce((select s.version from stock s where s.plan_id = o.stock_plan), 0)
      as visible
    from operations o;

    -- Listed only when its key and its charge can be read too (SUB-1); over only when its slot is seen to be empty.
    create view shown_subscriptions as
    select s.id, s.sequence, s.user_id, s.plan_id, s.plan_name, s.provider_id, s.cancel_at_period_end, s.price,
      s.period_unit, s.period_count, s.current_period_start, s.current_period_end, s.access_until,
      s.previous_subscription_id, s.created_at,
      case when s.status = 'ended' and not e.seen then 'active' else s.status end as status,
      case when e.seen then s.ended_at end as ended_at,
      case when e.seen then s.end_reason end as end_reason
    from subscriptions s
    left join accounts a on a.user_id = s.user_id
    left join slots l on l.user_id = s.user_id and l.provider_id = s.provider_id
    cross join lateral (select coalesce(s.end_slot_version, 0) <= coalesce(l.version, 0) as seen) e
    where coalesce(s.account_version, 0) <= coalesce(a.version, 0) and s.slot_version <= coalesce(l.version, 0);

    create view offered_plans as
    select p.*, coalesce(s.available, 0) as available, s.sellable_until
    from plans p left join stock s using (plan_id);

    create view stock_by_plan as
    select p.plan_id, p.provider_id, p.position, coalesce(s.available, 0) as available,
      coalesce(s.quarantined, 0) as quarantined, coalesce(s.assigned, 0) as assigned,
      coalesce(s.revocation_pending, 0) as revocation_pending, coalesce(s.revoked, 0) as revoked,
      coalesce(s.revocation_failed, 0) as revocation_failed, coalesce(s.retired, 0) as retired
    from plans p left join stock s using (plan_id);
  `,
}

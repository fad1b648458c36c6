/** What was asked: operations, the keys they were asked under, and the number of the last answer. */
export const commands = {
  name: '001_commands',
  up: `
    create table operations (
      id text primary key,
      caller text not null,
      kind text not null,
      -- The key of its command: a user, a plan, or the clock.
      subject text not null,
      started_at bigint not null,
      steps jsonb not null default '[]',
      outcome text check (outcome in ('succeeded', 'refused', 'failed')),
      -- The body of the answer: a result, or a problem.
      answer jsonb,
      finished_at bigint,
      -- What the outcome rests on; null: nothing.
      account_version bigint,
      slot_provider text,
      slot_version bigint,
      subscription_id text,
      subscription_version bigint,
      stock_plan text,
      stock_version bigint,
      answered_no bigint,
      accepted_at timestamptz not null default now(),
      check ((outcome is null) = (finished_at is null))
    );
    create index operations_unanswered on operations (accepted_at) where answered_no is null;
    create index operations_unfinished on operations (id) where outcome is null;
    create index operations_by_age on operations using brin (accepted_at);

    -- One row, locked while a number is given out, so that numbers are committed in their order.
    create table answers (
      one boolean primary key default true check (one),
      number bigint not null
    ) with (fillfactor = 10);
    insert into answers (number) values (0);

    create table idempotency_keys (
      scope bytea primary key,
      request bytea not null,
      attempt integer not null,
      operation_id text
    );
    create index idempotency_keys_by_operation on idempotency_keys (operation_id);
  `,
}

import type { Migration } from '@coding-plans/runtime'

/** One running money saga per subscription, one running purchase per user and provider (protocol.md 5). */
export const sagas: Migration = {
  name: '003_sagas',
  up: `
    create table sagas (
      id text primary key,
      kind text not null check (kind in ('activation', 'extension', 'renewal', 'end')),
      user_id text not null references buyers,
      provider_id text not null,
      subscription_id text not null,
      lane smallint not null,
      state text not null,
      memory jsonb not null,
      running boolean not null,
      failures integer not null default 0,
      retry_at bigint,
      at bigint not null
    );
    create index running_sagas on sagas (user_id) where running;
    create index sagas_to_say_again on sagas (lane, retry_at) where retry_at is not null;
    create unique index one_money_saga_per_subscription on sagas (subscription_id)
      where running and kind in ('activation', 'extension', 'renewal');
    create unique index one_purchase_per_user_and_provider on sagas (user_id, provider_id)
      where running and kind in ('activation', 'extension');
    create unique index one_end_per_subscription on sagas (subscription_id) where kind = 'end';
  `,
}

import type { Migration } from '@coding-plans/runtime'

export const invariants: Migration = {
  name: '007_invariants',
  up: `
    create table invariants (
      one boolean primary key default true check (one),
      version bigint not null,
      checked_at bigint not null,
      checks jsonb not null
    );
  `,
}

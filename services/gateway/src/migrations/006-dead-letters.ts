import type { Migration } from '@coding-plans/runtime'

/** Every service's dead letters, as their news tells of them; each service keeps its own, with the record itself. */
export const deadLetters: Migration = {
  name: '006_dead_letters',
  up: `
    create table listed_letters (
      id text primary key,
      sequence bigint generated always as identity,
      service text not null,
      version bigint not null,
      topic text not null,
      partition integer not null,
      record_offset bigint not null,
      message_id text,
      message_name text not null,
      subject text not null,
      reason text not null,
      correlation_id text not null,
      died_at bigint not null,
      redrives integer not null,
      redrives_left integer not null,
      state text not null check (state in ('kept', 'redriven'))
    );
    create index listed_letters_newest on listed_letters (died_at desc, sequence desc);
    create index listed_letters_kept on listed_letters (sequence) where state = 'kept';
  `,
}

-- Failed sign-ins, counted for every node: of an account, of an address, of a place or a browser of somebody. The
-- subject is a hash.
create table sign_in_failures (
  subject bytea primary key,
  failures bigint not null,
  -- when the first of them was
  since bigint not null
);
create index sign_in_failures_since on sign_in_failures (since);

-- Where a person has signed in before: hashes of addresses and of what a browser keeps.
create table sign_in_marks (
  user_id bigint not null references users (id),
  mark bytea not null,
  seen_at bigint not null,
  primary key (user_id, mark)
);

-- Failed sign-ins, counted for every node: of an account, of an address, of a place or a browser of somebody. The
-- subject is a hash.
create table sign_in_failures (
  subject blob primary key,
  failures integer not null,
  -- when the first of them was
  since integer not null
) without rowid;
create index sign_in_failures_since on sign_in_failures (since);

-- Where a person has signed in before: hashes of addresses and of what a browser keeps.
create table sign_in_marks (
  user_id integer not null references users (id),
  mark blob not null,
  seen_at integer not null,
  primary key (user_id, mark)
) without rowid;

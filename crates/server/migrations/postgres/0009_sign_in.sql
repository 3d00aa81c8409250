-- What is told of a session to the person whose it is.
alter table sessions add column user_agent text;
alter table sessions add column address text;
alter table sessions add column last_seen_at bigint;
create index sessions_user on sessions (user_id);

-- The second factor of a person: an authenticator app by RFC 6238.
create table second_factors (
  user_id bigint primary key references users (id),
  -- sealed under the master key
  secret bytea not null,
  -- the newest step of which a code was accepted: none of it or of an earlier one is accepted again
  last_step bigint not null,
  created_at bigint not null,
  -- when a first code was right; null before
  confirmed_at bigint
);

-- Codes for whoever has lost the app, each of which works once.
create table recovery_codes (
  user_id bigint not null references users (id),
  code_hash bytea not null,
  primary key (user_id, code_hash)
);

alter table teams add column second_factor_required bigint not null default 0;

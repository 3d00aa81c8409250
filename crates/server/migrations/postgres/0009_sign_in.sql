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

-- Passkeys (WebAuthn) of people.
create table passkeys (
  id bigint generated always as identity primary key,
  user_id bigint not null references users (id),
  name text not null,
  credential_id bytea not null unique,
  -- as the library writes them: the public key, and what changes with use
  public_key bytea not null,
  state bytea not null,
  created_at bigint not null,
  last_used_at bigint
);
create index passkeys_user on passkeys (user_id);

-- Hashes of ceremonies with a passkey that have been completed: none is completed twice.
create table passkey_ceremonies (
  ceremony_hash bytea primary key,
  completed_at bigint not null
);

-- whether it was begun with a passkey, which is two factors at once
alter table sessions add column by_passkey bigint not null default 0;

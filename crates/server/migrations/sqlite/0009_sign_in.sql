-- What is told of a session to the person whose it is.
alter table sessions add column user_agent text;
alter table sessions add column address text;
alter table sessions add column last_seen_at integer;
create index sessions_user on sessions (user_id);

-- The second factor of a person: an authenticator app by RFC 6238.
create table second_factors (
  user_id integer primary key references users (id),
  -- sealed under the master key
  secret blob not null,
  -- the newest step of which a code was accepted: none of it or of an earlier one is accepted again
  last_step integer not null,
  created_at integer not null,
  -- when a first code was right; null before
  confirmed_at integer
);

-- Codes for whoever has lost the app, each of which works once.
create table recovery_codes (
  user_id integer not null references users (id),
  code_hash blob not null,
  primary key (user_id, code_hash)
) without rowid;

alter table teams add column second_factor_required integer not null default 0;

-- Passkeys (WebAuthn) of people.
create table passkeys (
  id integer primary key autoincrement,
  user_id integer not null references users (id),
  name text not null,
  credential_id blob not null unique,
  -- as the library writes them: the public key, and what changes with use
  public_key blob not null,
  state blob not null,
  created_at integer not null,
  last_used_at integer
);
create index passkeys_user on passkeys (user_id);

-- Hashes of ceremonies with a passkey that have been completed: none is completed twice.
create table passkey_ceremonies (
  ceremony_hash blob primary key,
  completed_at integer not null
) without rowid;

-- whether it was begun with a passkey, which is two factors at once
alter table sessions add column by_passkey integer not null default 0;

-- Clients that sign in at `/mcp` by OAuth. Anybody may register one.
create table oauth_clients (
  id text primary key,
  name text not null,
  -- JSON
  redirect_uris text not null,
  -- a hash of the network that it was registered from
  network blob not null,
  created_at integer not null,
  -- when it was last given a code or a token; null as long as nobody has approved it
  used_at integer
) without rowid;
create index oauth_clients_network on oauth_clients (network, created_at);

-- Authorization codes: what people have approved. One that was redeemed stays for a while, so that it is known when it
-- comes again.
create table oauth_codes (
  code_hash blob primary key,
  team_id integer not null references teams (id),
  user_id integer not null references users (id),
  client_id text not null references oauth_clients (id),
  redirect_uri text not null,
  -- of PKCE, by S256
  challenge text not null,
  resource text not null,
  expires_at integer not null,
  -- the connection that it has become
  connection_id integer
) without rowid;
create index oauth_codes_client on oauth_codes (client_id);
create index oauth_codes_user on oauth_codes (user_id);

-- A client that acts for a person, with its tokens: each pair replaces the one before.
create table oauth_connections (
  id integer primary key autoincrement,
  team_id integer not null references teams (id),
  user_id integer not null references users (id),
  client_id text not null references oauth_clients (id),
  -- of what all its refresh tokens begin with, by which one that was replaced is known
  family_hash blob not null unique,
  refresh_hash blob not null,
  access_hash blob not null unique,
  access_expires_at integer not null,
  created_at integer not null,
  last_used_at integer,
  -- unless it is refreshed before
  expires_at integer not null
);
create unique index oauth_connections_user on oauth_connections (user_id, client_id);
create index oauth_connections_client on oauth_connections (client_id);

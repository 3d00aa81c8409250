-- What is told of a session to the person whose it is.
alter table sessions add column user_agent text;
alter table sessions add column address text;
alter table sessions add column last_seen_at integer;
create index sessions_user on sessions (user_id);

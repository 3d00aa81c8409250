-- A number for each kind of rows that servers keep in memory. It grows with each change of them, so that one small read
-- says what has to be read again.
create table versions (
  name text primary key,
  version bigint not null
);
insert into versions (name, version) values
  ('channels', 0),
  ('common', 0),
  ('credentials', 0),
  ('datasets', 0),
  ('devices', 0),
  ('mappings', 0),
  ('names', 0),
  ('rules', 0);

create function grow_version() returns trigger language plpgsql as $$
begin
  update versions set version = version + 1 where name = tg_argv[0];
  return null;
end
$$;

create trigger channels_version after insert or update or delete or truncate on channels
  for each statement execute function grow_version('channels');
create trigger channel_secrets_version after insert or update or delete or truncate on channel_secrets
  for each statement execute function grow_version('channels');
create trigger credentials_version after insert or update or delete or truncate on credentials
  for each statement execute function grow_version('credentials');
create trigger names_version after insert or update or delete or truncate on names
  for each statement execute function grow_version('names');
create trigger mappings_version after insert or update or delete or truncate on mappings
  for each statement execute function grow_version('mappings');
create trigger badge_rules_version after insert or update or delete or truncate on badge_rules
  for each statement execute function grow_version('rules');
create trigger escalation_rules_version after insert or update or delete or truncate on escalation_rules
  for each statement execute function grow_version('rules');
create trigger dataset_entries_version after insert or update or delete or truncate on dataset_entries
  for each statement execute function grow_version('datasets');
create trigger common_values_version after insert or update or delete or truncate on common_values
  for each statement execute function grow_version('common');
-- Of devices, those that are disregarded are kept.
create trigger devices_update_version after update of disregarded on devices
  for each row when (old.disregarded <> new.disregarded) execute function grow_version('devices');
create trigger devices_delete_version after delete on devices
  for each row when (old.disregarded <> 0) execute function grow_version('devices');

-- What was sent this month is asked for by the hour.
create index usage_hour on usage (hour);

-- A number for each kind of rows that servers keep in memory. It grows with each change of them, so that one small read
-- says what has to be read again.
create table versions (
  name text primary key not null,
  version integer not null
) without rowid;
insert into versions (name, version) values
  ('channels', 0),
  ('common', 0),
  ('credentials', 0),
  ('datasets', 0),
  ('devices', 0),
  ('mappings', 0),
  ('names', 0),
  ('rules', 0);

create trigger channels_insert_version after insert on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channels_update_version after update on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channels_delete_version after delete on channels begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_insert_version after insert on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_update_version after update on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger channel_secrets_delete_version after delete on channel_secrets begin
  update versions set version = version + 1 where name = 'channels';
end;
create trigger credentials_insert_version after insert on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger credentials_update_version after update on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger credentials_delete_version after delete on credentials begin
  update versions set version = version + 1 where name = 'credentials';
end;
create trigger names_insert_version after insert on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger names_update_version after update on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger names_delete_version after delete on names begin
  update versions set version = version + 1 where name = 'names';
end;
create trigger mappings_insert_version after insert on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger mappings_update_version after update on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger mappings_delete_version after delete on mappings begin
  update versions set version = version + 1 where name = 'mappings';
end;
create trigger badge_rules_insert_version after insert on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger badge_rules_update_version after update on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger badge_rules_delete_version after delete on badge_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_insert_version after insert on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_update_version after update on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger escalation_rules_delete_version after delete on escalation_rules begin
  update versions set version = version + 1 where name = 'rules';
end;
create trigger dataset_entries_insert_version after insert on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger dataset_entries_update_version after update on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger dataset_entries_delete_version after delete on dataset_entries begin
  update versions set version = version + 1 where name = 'datasets';
end;
create trigger common_values_insert_version after insert on common_values begin
  update versions set version = version + 1 where name = 'common';
end;
create trigger common_values_update_version after update on common_values begin
  update versions set version = version + 1 where name = 'common';
end;
create trigger common_values_delete_version after delete on common_values begin
  update versions set version = version + 1 where name = 'common';
end;
-- Of devices, those that are disregarded are kept.
create trigger devices_update_version after update of disregarded on devices
when old.disregarded <> new.disregarded begin
  update versions set version = version + 1 where name = 'devices';
end;
create trigger devices_delete_version after delete on devices when old.disregarded <> 0 begin
  update versions set version = version + 1 where name = 'devices';
end;

-- What was sent this month is asked for by the hour.
create index usage_hour on usage (hour);

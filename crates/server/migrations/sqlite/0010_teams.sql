-- Who belongs to which team, and what they may do there. A person can belong to several.
create table members (
  team_id integer not null references teams (id),
  user_id integer not null references users (id),
  role text not null,
  -- when they joined
  created_at integer not null,
  -- when they last chose it among their teams: whoever signs in comes to the one chosen last
  chosen_at integer,
  primary key (team_id, user_id)
) without rowid;
create index members_user on members (user_id);
insert into members (team_id, user_id, role, created_at) select team_id, id, role, created_at from users;

-- The team that is chosen in a session.
alter table sessions add column team_id integer references teams (id);
update sessions set team_id = (select u.team_id from users u where u.id = sessions.user_id);

-- Whether somebody owns the installation, and so makes, renames and deletes its teams. The first one does.
alter table users add column owner integer not null default 0;
update users set owner = 1 where id = (select min(user_id) from members where role = 'ADMIN');
alter table users drop column role;
alter table users drop column team_id;

-- When a team was deleted, whose rows go in the background, and itself with the last of them.
alter table teams add column deleted_at integer;

-- A client acts for a person in one team, and another time in another.
drop index oauth_connections_user;
create unique index oauth_connections_user on oauth_connections (user_id, team_id, client_id);

-- Who somebody is at an OpenID provider, bound at their first sign-in there. From then on this counts, and not the
-- e-mail address.
create table oidc_subjects (
  issuer text not null,
  subject text not null,
  user_id bigint not null references users (id),
  bound_at bigint not null,
  last_used_at bigint not null,
  primary key (issuer, subject),
  unique (user_id, issuer)
);

-- Until when a password that the command line has given signs somebody in where passwords are switched off.
create table password_passes (
  user_id bigint primary key references users (id),
  holds_until bigint not null
);

-- by how many factors a session was begun at an OpenID provider, as far as that is told: 1 or 2; null for other sessions
alter table sessions add column oidc_factors bigint;

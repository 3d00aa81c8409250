-- The reasons that are offered when somebody labels an identity: JSON; null for those that ship.
alter table teams add column label_reasons text;

-- Those who are labelled, by whom lists are narrowed.
create index identities_labelled on identities (team_id) where verdict is not null;

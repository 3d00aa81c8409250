-- The reasons that are offered when somebody labels an identity: JSON; null for those that ship.
alter table teams add column label_reasons text;

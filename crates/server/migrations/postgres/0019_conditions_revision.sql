-- Another number after each change of what a rule asks: that of the rule, where no conditions have changed since.
alter table badge_rules add column conditions_revision bigint;
alter table escalation_rules add column conditions_revision bigint;

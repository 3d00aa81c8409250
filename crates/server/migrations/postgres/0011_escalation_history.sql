-- Who acknowledged and who closed an escalation, and why it was closed. Null for what its rule did, and before this.
alter table escalations add column acknowledged_by text;
alter table escalations add column closed_by text;
alter table escalations add column close_reason text;

-- Which escalations were closed when, for figures over time.
create index escalations_closed on escalations (team_id, closed_at) where closed_at is not null;

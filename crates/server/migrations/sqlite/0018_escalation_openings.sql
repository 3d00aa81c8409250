-- What opened an escalation, in words; null where it was opened before this was kept, or by chance.
alter table escalations add column explanation text;
-- The sender's id, packed, of the event that met the conditions of its rule; null where these ask about no event.
alter table escalations add column event_id blob;

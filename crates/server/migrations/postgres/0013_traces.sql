-- Where in which trace what is to be done is: of a traced event alone, null otherwise. 25 bytes for each span: 16 of the
-- trace, 8 of the span, one of flags.
-- Those that the next cycle follows from, the newest first.
alter table identities add column trace bytea;
-- The cycle whose rules wait for a delay.
alter table identities add column decide_trace bytea;
-- The cycle or the decision that it tells of.
alter table deliveries add column trace bytea;

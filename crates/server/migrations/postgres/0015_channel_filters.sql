-- What a channel sends of what it is subscribed to, as JSON; null where it sends all.
alter table channels add column filter text;

-- How many events each channel has left out by that.
create table channel_left_out (
  channel_id bigint primary key,
  count bigint not null
);

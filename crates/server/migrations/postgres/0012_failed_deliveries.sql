-- Deliveries that failed are found by how, without passing by those that arrived. Each index holds those alone.
create index deliveries_retrying on deliveries (channel_id, status, created_at, id) where status = 0 and trigger = 1;
create index deliveries_errors on deliveries (channel_id, created_at, id) where error_class is not null and error_class <> 'superseded';
create index deliveries_error_class on deliveries (channel_id, error_class, created_at, id) where error_class is not null;
create index deliveries_http_status on deliveries (channel_id, http_status, created_at, id) where http_status <> 200;

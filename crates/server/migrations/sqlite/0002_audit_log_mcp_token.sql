-- The name of the MCP token through which something was done.
alter table audit_log add column mcp_token text;

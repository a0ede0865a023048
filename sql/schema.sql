-- The schema itself is made by CREATE EXTENSION (pg_steward.control).
COMMENT ON SCHEMA steward IS 'pg_steward: continuous archiving, backups, and what they say about themselves';

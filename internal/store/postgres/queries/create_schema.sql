-- makes the schema of the history
CREATE SCHEMA IF NOT EXISTS pgvigil

-- Indexes with their definitions.
SELECT x.indexrelid, x.indrelid, n.nspname::text, c.relname::text, t.relname::text, pg_get_indexdef(x.indexrelid), m.amname::text, coalesce((SELECT conname::text FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ($$p$$, $$u$$, $$x$$) LIMIT 1), $$$$),
       x.indisunique, x.indisprimary, x.indisvalid, coalesce(i.inhparent, 0::oid), coalesce(pg_get_expr(x.indpred, x.indrelid), '')
FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE n.nspname !~ '^pg_'
ORDER BY 1

-- puts new labels on what was sampled
UPDATE wait_counts SET fingerprint = r.fingerprint FROM relabels r WHERE r.id = wait_counts.fingerprint

-- intervals that end before they begin
SELECT count(*) FROM :intervals i WHERE i.end_at <= i.start_at

-- title: Carbon is conserved
-- shows: Every member and tick in which the carbon emitted is not the carbon that the air and the sinks gained, in
--   whole kilograms.
-- source: docs/explanation/climate-model.md: the ledger of carbon
-- expects: no rows
WITH steps AS (
    SELECT
        run,
        member,
        tick,
        emissions,
        uptake,
        carbon_atmosphere - coalesce(lag(carbon_atmosphere) OVER course, 0) AS air,
        tick - coalesce(lag(tick) OVER course, -1) AS distance
    FROM timeseries
    WINDOW course AS (PARTITION BY run, member ORDER BY tick)
)
SELECT run, member, tick, 'gain of air and sinks' AS what, air + uptake AS found, emissions AS expected
FROM steps
WHERE air + uptake IS DISTINCT FROM emissions OR distance <> 1
UNION ALL
SELECT run, member, NULL, 'ticks that are there', count(tick), any_value(ticks)
FROM members JOIN run USING (run) LEFT JOIN timeseries USING (run, member)
GROUP BY run, member
HAVING count(tick) <> any_value(ticks) OR count(DISTINCT tick) <> any_value(ticks)
ORDER BY ALL

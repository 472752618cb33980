-- title: How inequality comes to rest
-- shows: Variance of the holdings over their squared mean by round: the median member, and the band that holds nine
--   tenths of them. Without saving it comes to 1, with a saving share s to (1 − s)/(1 + 2 s).
-- source: Lallouache, Jedidi and Chakraborti, Sci. Cult. 76 (2010) 478
-- chart: line
-- x: tick | round
-- y: dispersion | variance / mean²
-- band: low, high
-- series: run, saving
WITH relative AS (
    SELECT
        run,
        chosen.value AS saving,
        tick,
        CAST(squares AS DOUBLE) * population / (CAST(money AS DOUBLE) * money) - 1 AS dispersion
    FROM timeseries
    JOIN members USING (run, member)
    LEFT JOIN parameter('exchange.saving') AS chosen USING (run, member)
)
SELECT
    run,
    saving,
    tick,
    quantile_cont(dispersion, 0.05) AS low,
    median(dispersion) AS dispersion,
    quantile_cont(dispersion, 0.95) AS high
FROM relative
GROUP BY run, saving, tick
ORDER BY run, saving, tick

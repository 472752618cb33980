-- title: Damage by climate zone
-- shows: Share of output that a zone's regions lose to the climate, by year, median and nine tenths of the members;
--   beside it the warming of the land, and the output that is lost.
-- source: Burke, Hsiang and Miguel, Nature 527 (2015) 235; Nordhaus, PNAS 114 (2017) 1518
-- chart: line
-- x: year | year of the run
-- y: damage | output lost, %
-- series: run, zone
-- band: low, high
SELECT
    run,
    zone,
    year,
    quantile_cont(100 * damage, 0.05) AS low,
    median(100 * damage) AS damage,
    quantile_cont(100 * damage, 0.95) AS high,
    median(warming) AS warming,
    median(citizens) AS citizens,
    median(output / (1 - damage) * damage) AS lost_output
FROM climate
GROUP BY run, zone, year
ORDER BY run, zone, year

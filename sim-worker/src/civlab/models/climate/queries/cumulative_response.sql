-- title: Warming by cumulative emissions
-- shows: Each tenth year of each member: warming against all carbon emitted so far. Where the points lie along one line,
--   its slope is the transient climate response to cumulative emissions.
-- source: Allen and others, Nature 458 (2009) 1163; IPCC AR6 WG1 (2021), section 5.5
-- chart: scatter
-- x: emitted | GtC emitted since the start
-- y: warming | K
-- series: run
-- fit: line
WITH calendar AS (
    SELECT run, member, year, row_number() OVER (PARTITION BY run, member ORDER BY year) - 1 AS tick
    FROM zones
),
sums AS (
    SELECT run, member, tick, warming, sum(emissions) OVER (PARTITION BY run, member ORDER BY tick) / 1e12 AS emitted
    FROM timeseries
)
SELECT run, member, year, emitted, warming
FROM sums JOIN calendar USING (run, member, tick)
WHERE year % 10 = 0
ORDER BY run, member, year

-- title: Warming by member
-- shows: Global mean surface warming of every member by year, tipping elements included.
-- source: Leach and others, Geosci. Model Dev. 14 (2021) 3007; IPCC AR6 WG1 (2021), chapter 4
-- chart: line
-- x: year | year
-- y: warming | K
-- series: run, member
WITH calendar AS (
    SELECT run, member, year, row_number() OVER (PARTITION BY run, member ORDER BY year) - 1 AS tick
    FROM zones
)
SELECT run, member, year, warming
FROM timeseries JOIN calendar USING (run, member, tick)
ORDER BY run, member, year

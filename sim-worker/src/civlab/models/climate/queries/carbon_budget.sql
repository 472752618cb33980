-- title: Carbon budget
-- shows: Carbon emitted since the start and where it is, mean of the members: what is not in the air was taken up by
--   land and sea.
-- source: Friedlingstein and others, Earth Syst. Sci. Data 14 (2022) 4811
-- chart: line
-- x: year | year
-- y: emitted, in_the_air, in_land_and_sea | GtC since the start
-- series: run
WITH calendar AS (
    SELECT run, member, year, row_number() OVER (PARTITION BY run, member ORDER BY year) - 1 AS tick
    FROM zones
),
sums AS (
    SELECT
        run,
        member,
        tick,
        sum(emissions) OVER course AS emitted,
        carbon_atmosphere AS air,
        sum(uptake) OVER course AS sinks
    FROM timeseries
    WINDOW course AS (PARTITION BY run, member ORDER BY tick)
)
SELECT
    run,
    year,
    avg(emitted) / 1e12 AS emitted,
    avg(air) / 1e12 AS in_the_air,
    avg(sinks) / 1e12 AS in_land_and_sea,
    avg(air / nullif(emitted, 0)) AS airborne_fraction
FROM sums JOIN calendar USING (run, member, tick)
GROUP BY run, year
ORDER BY run, year

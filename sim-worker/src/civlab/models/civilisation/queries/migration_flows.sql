-- title: Migration between climate zones
-- shows: Citizens who moved to regions of each zone since the start, by the zone that they came from, as a yearly rate
--   among those who lived there at first; moves within a zone are moves between its regions. All members together.
-- source: Ravenstein, J. Stat. Soc. Lond. 48 (1885) 167; Lee, Demography 3 (1966) 47
-- chart: bars
-- x: origin | zone that they left; colours: zone that they came to
-- y: rate | moves a year by 1,000 citizens of the origin
-- series: run, destination
WITH places AS (
    SELECT run, member, region, any_value(zone) AS zone, first(citizens ORDER BY quarter) AS citizens
    FROM region
    GROUP BY run, member, region
),
people AS (
    SELECT run, zone AS origin, sum(citizens) AS citizens FROM places GROUP BY run, zone
),
moves AS (
    SELECT m.run, a.zone AS origin, b.zone AS destination, sum(m.citizens) AS moved
    FROM migration AS m
    JOIN places AS a ON (a.run, a.member, a.region) = (m.run, m.member, m.origin)
    JOIN places AS b ON (b.run, b.member, b.region) = (m.run, m.member, m.destination)
    GROUP BY ALL
)
SELECT run, origin, destination, moved, 1000 * moved / citizens * 52 / ticks AS rate
FROM moves JOIN people USING (run, origin) JOIN run USING (run)
ORDER BY run, origin, destination

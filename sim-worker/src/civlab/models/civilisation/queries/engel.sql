-- title: Engel's law
-- shows: Share of food in what a region's households spend, against what they spend by head, a point for each region and
--   year of each member: who has more spends a smaller share of it on food.
-- source: Engel (1857); Houthakker, Econometrica 25 (1957) 532
-- chart: scatter
-- x: spending | spending a citizen and year, million money at the prices of the start
-- y: food | food, % of spending
-- series: run
-- fit: line
WITH spent AS (
    SELECT
        run,
        member,
        year,
        region,
        52 * sum(households) / any_value(weeks) AS spending,
        52 * sum(households) FILTER (WHERE good = 'food') / any_value(weeks) AS food
    FROM market
    GROUP BY run, member, year, region
),
people AS (
    SELECT run, member, quarter // 4 AS year, region, any_value(nation) AS nation, avg(citizens) AS citizens
    FROM region
    GROUP BY run, member, year, region
),
prices AS (
    SELECT run, member, nation, tick // 52 AS year, avg(price_level) / 10000 AS level
    FROM nation
    GROUP BY run, member, nation, year
)
SELECT
    run,
    member,
    year,
    region,
    spending / nullif(citizens, 0) / level / 1e6 AS spending,
    100 * food / nullif(spending, 0) AS food
FROM spent JOIN people USING (run, member, year, region) JOIN prices USING (run, member, nation, year)
WHERE spending > 0 AND citizens > 0
ORDER BY run, member, year, region

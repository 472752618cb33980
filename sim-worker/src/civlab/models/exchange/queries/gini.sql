-- title: Inequality of the members
-- shows: Each member's Gini coefficient at the end, exact from all holdings and as the area of its Lorenz curve of
--   a hundred steps; 1/2 is the exponential law's. Beside them the money of the richest tenth, and the median over the mean.
-- source: Gini (1912), Variabilità e mutabilità; Drăgulescu and Yakovenko, Eur. Phys. J. B 20 (2001) 585
-- chart: bars
-- x: member | member
-- y: gini | Gini coefficient
-- series: run, saving
WITH steps AS (
    SELECT
        run,
        member,
        agents - lag(agents) OVER course AS width,
        money + lag(money) OVER course AS twice_height,
        max(agents) OVER whole AS all_agents,
        max(money) OVER whole AS all_money
    FROM lorenz
    WINDOW whole AS (PARTITION BY run, member), course AS (PARTITION BY run, member ORDER BY percent)
),
areas AS (
    SELECT run, member, 1 - sum(width / all_agents * (twice_height / all_money)) AS gini_by_area
    FROM steps
    GROUP BY run, member
)
SELECT
    run,
    member,
    chosen.value AS saving,
    gini,
    round(gini_by_area, 6) AS gini_by_area,
    top_tenth,
    round(median / mean.value, 6) AS median_over_mean
FROM members
JOIN areas USING (run, member)
JOIN parameter('population.money') AS mean USING (run, member)
LEFT JOIN parameter('exchange.saving') AS chosen USING (run, member)
ORDER BY run, member

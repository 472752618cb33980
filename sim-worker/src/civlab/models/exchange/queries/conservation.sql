-- title: Money is conserved
-- shows: Every member, round or table in which money is missing, was made, or is not what everybody began with.
-- source: docs/explanation/exchange-model.md: nothing is produced, so the total is the population times the mean for ever
-- expects: no rows
WITH wanted AS (
    SELECT run, member, population, population * CAST(mean.value AS HUGEINT) AS total
    FROM members LEFT JOIN parameter('population.money') AS mean USING (run, member)
)
SELECT run, member, tick, 'money of all agents' AS what, money AS found, total AS expected
FROM timeseries LEFT JOIN wanted USING (run, member)
WHERE money IS DISTINCT FROM total
UNION ALL
SELECT run, member, NULL, 'rounds that are there', count(tick), any_value(ticks)
FROM wanted JOIN run USING (run) LEFT JOIN timeseries USING (run, member)
GROUP BY run, member
HAVING count(tick) <> any_value(ticks) OR count(DISTINCT tick) <> any_value(ticks)
UNION ALL
SELECT run, member, NULL, 'money of all bins at the end', sum(money), any_value(total)
FROM wanted LEFT JOIN holdings USING (run, member)
GROUP BY run, member
HAVING sum(money) IS DISTINCT FROM any_value(total)
UNION ALL
SELECT run, member, NULL, 'agents of all bins at the end', sum(agents), any_value(population)
FROM wanted LEFT JOIN holdings USING (run, member)
GROUP BY run, member
HAVING sum(agents) IS DISTINCT FROM any_value(population)
ORDER BY ALL

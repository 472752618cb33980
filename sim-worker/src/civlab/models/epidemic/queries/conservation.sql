-- title: People are conserved
-- shows: Every member, tick or age group in which a person was lost or made, or in which infections or deaths are not
--   what left one state for another.
-- source: docs/explanation/epidemic-model.md: everybody is in one state at a time
-- expects: no rows
WITH steps AS (
    SELECT
        *,
        susceptible + exposed + infectious + hospital + recovered + dead AS people,
        coalesce(lag(susceptible) OVER course, population) - susceptible AS left_susceptible,
        dead - coalesce(lag(dead) OVER course, 0) AS died
    FROM timeseries LEFT JOIN members USING (run, member)
    WINDOW course AS (PARTITION BY run, member ORDER BY tick)
)
SELECT run, member, tick, 'people in all states' AS what, people AS found, population AS expected
FROM steps
WHERE people IS DISTINCT FROM population
UNION ALL
SELECT run, member, tick, 'people no longer susceptible', left_susceptible, new_infections
FROM steps
WHERE left_susceptible IS DISTINCT FROM new_infections
UNION ALL
SELECT run, member, tick, 'infections of all origins', infections, new_infections
FROM (
    SELECT
        *,
        infected_community + infected_household + infected_school + infected_work + introduced AS infections
    FROM timeseries
)
WHERE infections IS DISTINCT FROM new_infections
UNION ALL
SELECT run, member, tick, 'people newly dead', died, new_deaths
FROM steps
WHERE died IS DISTINCT FROM new_deaths
UNION ALL
SELECT run, member, NULL, 'people of all ages', sum(persons), any_value(population)
FROM members LEFT JOIN ages USING (run, member)
GROUP BY run, member
HAVING sum(persons) IS DISTINCT FROM any_value(population)
UNION ALL
SELECT run, member, NULL, 'ticks that are there', count(tick), any_value(ticks)
FROM members JOIN run USING (run) LEFT JOIN timeseries USING (run, member)
GROUP BY run, member
HAVING count(tick) <> any_value(ticks) OR count(DISTINCT tick) <> any_value(ticks)
ORDER BY ALL

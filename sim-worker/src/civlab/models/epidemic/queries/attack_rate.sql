-- title: Attack rate by age
-- shows: Share of each age group that was ever infected, and that died, over all members.
-- source: Giesecke, Modern Infectious Disease Epidemiology, 3rd ed. (2017)
-- chart: bars
-- x: age | age in years
-- y: infected, died | % of the age group
-- series: run
SELECT
    run,
    CASE WHEN age_from = max(age_from) OVER () THEN age_from || '+' ELSE age_from || '–' || (age_from + 9) END AS age,
    100 * sum(infected) / nullif(sum(persons), 0) AS infected,
    100 * sum(dead) / nullif(sum(persons), 0) AS died
FROM ages
GROUP BY run, age_from
ORDER BY run, age_from

-- title: Inequality of the members
-- shows: Each member's Gini coefficients at the end, of deposits and of incomes, exact from all households; beside them
--   that of deposits as the area of its Lorenz curve of a hundred steps, and what the richest tenth has.
-- source: Gini (1912), Variabilità e mutabilità
-- chart: bars
-- x: member | member
-- y: deposits, incomes | Gini coefficient
-- series: run
WITH steps AS (
    SELECT
        run,
        member,
        households - lag(households) OVER course AS width,
        deposits + lag(deposits) OVER course AS twice_height,
        max(households) OVER whole AS all_households,
        max(deposits) OVER whole AS all_deposits
    FROM lorenz
    WINDOW whole AS (PARTITION BY run, member), course AS (PARTITION BY run, member ORDER BY percent)
),
areas AS (
    SELECT run, member, 1 - sum(width / all_households * (twice_height / all_deposits)) AS by_area
    FROM steps
    GROUP BY run, member
)
SELECT
    run,
    member,
    gini / 1e6 AS deposits,
    round(by_area, 6) AS deposits_by_area,
    income_gini / 1e6 AS incomes,
    head_gini / 1e6 AS incomes_by_head,
    top_tenth / 1e6 AS deposits_of_richest_tenth,
    income_top_tenth / 1e6 AS incomes_of_richest_tenth
FROM inequality JOIN areas USING (run, member)
ORDER BY run, member

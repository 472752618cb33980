-- title: Lorenz curves of deposits and incomes
-- shows: Share of all deposits, and of all weekly incomes after income tax, that the poorest households have at the end;
--   all members of a run together.
-- source: Lorenz, Publ. Am. Stat. Assoc. 9 (1905) 209
-- chart: lorenz
-- x: households | % of households, the poorest first
-- y: deposits, incomes | % of all
-- series: run
WITH held AS (
    SELECT run, percent, sum(deposits) AS deposits, sum(incomes) AS incomes
    FROM lorenz
    GROUP BY run, percent
)
SELECT
    run,
    percent AS households,
    100 * deposits / max(deposits) OVER whole AS deposits,
    100 * incomes / max(incomes) OVER whole AS incomes
FROM held
WINDOW whole AS (PARTITION BY run)
ORDER BY run, percent

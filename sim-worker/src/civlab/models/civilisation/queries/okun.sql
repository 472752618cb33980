-- title: Okun's law
-- shows: Change of unemployment against growth of the real product, both within a year, a point for each nation and
--   quarter of each member from the second year on.
-- source: Okun, Proc. Bus. Econ. Stat. Sect., Am. Stat. Assoc. (1962) 98
-- chart: scatter
-- x: growth | growth of the real product, % within a year
-- y: change | change of unemployment, points
-- series: run, nation
-- fit: line
WITH quarters AS (
    SELECT
        run,
        member,
        nation,
        tick // 13 AS quarter,
        100 * sum(unemployed) / nullif(sum(unemployed + employed), 0) AS unemployment,
        sum(product_real) AS product
    FROM nation
    GROUP BY run, member, nation, quarter
    HAVING count(*) = 13
)
SELECT
    run,
    member,
    nation,
    quarter,
    100 * (product / lag(product, 4) OVER course - 1) AS growth,
    unemployment - lag(unemployment, 4) OVER course AS change
FROM quarters
WINDOW course AS (PARTITION BY run, member, nation ORDER BY quarter)
QUALIFY lag(product, 4) OVER course > 0
ORDER BY run, member, nation, quarter

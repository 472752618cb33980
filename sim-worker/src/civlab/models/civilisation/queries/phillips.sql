-- title: Phillips curve
-- shows: Rise of pay against unemployment, a point for each nation and quarter of each member but the first.
-- source: Phillips, Economica 25 (1958) 283
-- chart: scatter
-- x: unemployment | unemployed, % of those who may work
-- y: rise_of_pay | rise of pay, % a year
-- series: run, nation
-- fit: line
WITH quarters AS (
    SELECT
        run,
        member,
        nation,
        tick // 13 AS quarter,
        100 * sum(unemployed) / nullif(sum(unemployed + employed), 0) AS unemployment,
        avg(wage) AS pay,
        avg(price_level) AS prices
    FROM nation
    GROUP BY run, member, nation, quarter
    HAVING count(*) = 13
)
SELECT
    run,
    member,
    nation,
    quarter,
    unemployment,
    400 * (pay / lag(pay) OVER course - 1) AS rise_of_pay,
    400 * (prices / lag(prices) OVER course - 1) AS inflation
FROM quarters
WINDOW course AS (PARTITION BY run, member, nation ORDER BY quarter)
QUALIFY lag(pay) OVER course IS NOT NULL
ORDER BY run, member, nation, quarter

-- title: Lorenz curve of the holdings
-- shows: Share of all money that the poorest agents hold at the end, the members of equal saving together, beside the
--   curve of the exponential law, x + (1 − x) ln(1 − x), to which every law without saving comes.
-- source: Lorenz, Publ. Am. Stat. Assoc. 9 (1905) 209; Drăgulescu and Yakovenko, Eur. Phys. J. B 20 (2001) 585
-- chart: lorenz
-- x: agents | % of agents, the poorest first
-- y: money | % of money
-- series: run, saving
-- reference: exponential_law
WITH held AS (
    SELECT run, chosen.value AS saving, percent, sum(money) AS money
    FROM lorenz LEFT JOIN parameter('exchange.saving') AS chosen USING (run, member)
    GROUP BY run, saving, percent
)
SELECT
    run,
    saving,
    percent AS agents,
    100 * money / max(money) OVER (PARTITION BY run, saving) AS money,
    CASE percent WHEN 100 THEN 100 ELSE percent + (100 - percent) * ln(1 - percent / 100) END AS exponential_law
FROM held
ORDER BY run, saving, percent

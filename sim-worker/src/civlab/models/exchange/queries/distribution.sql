-- title: Distribution of money
-- shows: Density of the holdings at the end in means, the members of equal saving together, beside the exponential law,
--   a straight line on this axis. With saving, nearly nobody is left with nothing.
-- source: Drăgulescu and Yakovenko, Eur. Phys. J. B 17 (2000) 723; Chakraborti and Chakrabarti, ibid. 167
-- chart: line
-- x: holding | holding / mean
-- y: density | density
-- series: run, saving
-- reference: exponential_law
-- log: y
WITH counted AS (
    SELECT run, chosen.value AS saving, from_eighths, sum(agents) AS agents
    FROM holdings LEFT JOIN parameter('exchange.saving') AS chosen USING (run, member)
    GROUP BY run, saving, from_eighths
)
SELECT
    run,
    saving,
    (from_eighths + 0.5) / 8 AS holding,
    agents,
    8 * agents / sum(agents) OVER (PARTITION BY run, saving) AS density,
    exp(-holding) AS exponential_law
FROM counted
-- the last bin is open, so it has no density
QUALIFY from_eighths < max(from_eighths) OVER () AND agents > 0 AND holding < 8
ORDER BY run, saving, holding

-- title: Inequality by saving
-- shows: Gini coefficient of each member at the end against the share that everybody saves.
-- source: Patriarca, Chakraborti and Kaski, Phys. Rev. E 70 (2004) 016104
-- chart: scatter
-- x: saving | share saved
-- y: gini | Gini coefficient
-- series: run
-- fit: line
SELECT run, member, value AS saving, gini
FROM members JOIN parameter('exchange.saving') USING (run, member)
ORDER BY run, saving

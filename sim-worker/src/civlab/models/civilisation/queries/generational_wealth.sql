-- title: Wealth by age and generation
-- shows: Mean deposits of a household by the age of its eldest head and by generations since the founders, all members
--   together; classes of fewer than 20 households are left out, and generations of but one class.
-- source: Modigliani and Brumberg (1954), in Post-Keynesian Economics; Kotlikoff and Summers, J. Polit. Econ. 89 (1981) 706
-- chart: line
-- x: age | age of the eldest head
-- y: deposits | million money a household
-- series: run, generation
SELECT
    run,
    generation,
    age_from + 5 AS age,
    sum(households) AS households,
    sum(deposits) / sum(households) / 1e6 AS deposits,
    52 * sum(income) / sum(households) / 1e6 AS yearly_income,
    sum(deposits) / nullif(sum(citizens), 0) / 1e6 AS deposits_by_head
FROM generation
GROUP BY run, generation, age_from
HAVING sum(households) >= 20
QUALIFY count(*) OVER (PARTITION BY run, generation) > 1
ORDER BY run, generation, age

-- title: Beveridge curve
-- shows: Vacancies against unemployment on logarithmic axes, a point for each nation and quarter of each member.
-- source: Dow and Dicks-Mireaux, Oxf. Econ. Pap. 10 (1958) 1; Beveridge (1944), Full Employment in a Free Society
-- chart: loglog
-- x: unemployment | unemployed, % of those who may work
-- y: vacancies | vacancies, % of all jobs
-- series: run, nation
-- fit: line
SELECT
    run,
    member,
    nation,
    tick // 13 AS quarter,
    100 * sum(unemployed) / nullif(sum(unemployed + employed), 0) AS unemployment,
    100 * sum(vacancies) / nullif(sum(vacancies + employed), 0) AS vacancies
FROM nation
GROUP BY run, member, nation, quarter
HAVING count(*) = 13
ORDER BY run, member, nation, quarter

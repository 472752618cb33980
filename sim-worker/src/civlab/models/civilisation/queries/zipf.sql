-- title: Sizes of firms
-- shows: Rank of firms by employees, the largest tenth of each member's firms: a slope of −1 is Zipf's law, which firms
--   of the United States follow.
-- source: Axtell, Science 293 (2001) 1818; Gabaix, Annu. Rev. Econ. 1 (2009) 255
-- chart: loglog
-- x: employees | employees
-- y: rank | rank, the largest firm first
-- series: run
-- fit: line
SELECT
    run,
    member,
    staff AS employees,
    row_number() OVER (PARTITION BY run, member ORDER BY staff DESC, firm) AS rank,
    industry
FROM firm
WHERE staff > 0
QUALIFY rank <= ceil(count(*) OVER (PARTITION BY run, member) / 10)
ORDER BY run, member, rank

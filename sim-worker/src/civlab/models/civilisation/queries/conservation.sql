-- title: Money, goods, energy, carbon and people are conserved
-- shows: Every account that does not close: of the world, a nation, a region or a good, in a week, quarter or year;
--   every table that does not add up to another; and every invariant that the run itself found broken.
-- source: docs/explanation/civilisation-model.md: invariants I1 to I18
-- expects: no rows
WITH weekly AS (
    SELECT
        *,
        money + equity - loans - public_debt AS base_money,
        lag(money + equity - loans - public_debt) OVER course AS base_money_before,
        lag(citizens) OVER course + births - deaths AS citizens_due
    FROM timeseries
    WINDOW course AS (PARTITION BY run, member ORDER BY tick)
),
sheets AS (
    SELECT
        f.*,
        n.consumption,
        n.purchases,
        n.exports,
        n.imports,
        lag(cash) OVER course + lent + revenue - wages - contributions - spent - interest - taxes_profit - repaid
        - paid_out AS cash_due,
        holdings + income - consumption AS deposits_due,
        wages - taxes_income + benefits + pensions + child_benefits + dividends AS income_due,
        lag(treasury - debt) OVER course + taxes_income + taxes_sales + taxes_profit + contributions + unclaimed
        - benefits - pensions - child_benefits - purchases - interest_public - rescues AS public_due,
        lag(equity + pool) OVER course + interest + interest_public + rescues + paid_out - write_offs - dividends
        AS banks_due,
        lag(loans) OVER course + lent - repaid - write_offs AS loans_due
    FROM finance AS f LEFT JOIN nation AS n USING (run, member, tick, nation)
    WINDOW course AS (PARTITION BY run, member, nation ORDER BY tick)
),
worlds AS (
    SELECT
        run,
        member,
        tick,
        sum(deposits + cash + treasury + pool) AS money,
        sum(equity) AS equity,
        sum(loans) AS loans,
        sum(debt) AS debt,
        sum(revenue) AS revenue,
        sum(consumption - taxes_sales + purchases + spent) AS bought,
        sum(exports) AS exports,
        sum(imports) AS imports,
        sum(holdings) AS holdings,
        sum(deposits) AS deposits,
        sum(unclaimed) AS unclaimed
    FROM sheets
    GROUP BY run, member, tick
),
both_worlds AS (
    SELECT
        t.*,
        w.money AS held,
        w.equity AS capital,
        w.loans AS lent,
        w.debt AS owed,
        w.* EXCLUDE (run, member, tick, money, equity, loans),
        lag(w.deposits) OVER course - w.unclaimed AS holdings_due
    FROM timeseries AS t LEFT JOIN worlds AS w USING (run, member, tick)
    WINDOW course AS (PARTITION BY t.run, t.member ORDER BY t.tick)
),
quarterly AS (
    SELECT
        *,
        lag(citizens) OVER course + births - deaths + arrivals - departures AS citizens_due,
        lag(reserve) OVER course - extracted AS reserve_due,
        farmed + mined + settled + wild AS area,
        lag(farmed + mined + settled + wild) OVER course AS area_due
    FROM region
    WINDOW course AS (PARTITION BY run, member, region ORDER BY quarter)
),
yearly AS (
    SELECT
        *,
        lag(stock) OVER course + made - used - consumed - built - perished - carried AS stock_due
    FROM goods
    WINDOW course AS (PARTITION BY run, member, good ORDER BY year)
),
markets AS (
    SELECT
        run,
        member,
        year,
        good,
        sum(made) AS made,
        sum(used) AS used,
        sum(sold) AS sold,
        sum(received) AS received,
        sum(consumed + built + perished + carried) AS gone
    FROM market
    GROUP BY run, member, year, good
),
trades AS (
    SELECT run, member, year, exporter AS nation, sum(money) AS sold FROM trade GROUP BY run, member, year, exporter
),
exports AS (
    SELECT run, member, tick // 52 AS year, nation, sum(exports) AS exports
    FROM nation
    GROUP BY run, member, year, nation
),
came AS (
    SELECT run, member, quarter // 4 AS year, region, sum(arrivals) AS arrivals
    FROM region
    GROUP BY run, member, year, region
),
moved AS (
    SELECT run, member, year, destination AS region, sum(citizens) AS arrivals
    FROM migration
    GROUP BY run, member, year, destination
),
ends AS (
    SELECT t.* FROM timeseries AS t JOIN run USING (run) WHERE tick = ticks - 1
),
checks AS (
    SELECT run, member, tick AS time, NULL AS place, 'base money' AS what, base_money AS found, base_money_before AS expected
    FROM weekly
    WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, NULL, 'citizens by births and deaths', citizens, citizens_due FROM weekly WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, NULL, 'carbon in the air and in sinks', carbon_air + carbon_sinks, carbon_emitted FROM weekly
    UNION ALL
    SELECT run, member, tick, nation, 'cash of firms', cash, cash_due FROM sheets WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, nation, 'deposits of households', deposits, deposits_due FROM sheets
    UNION ALL
    SELECT run, member, tick, nation, 'income of households', income, income_due FROM sheets
    UNION ALL
    SELECT run, member, tick, nation, 'treasury less debt', treasury - debt, public_due FROM sheets WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, nation, 'equity of banks and dividends due', equity + pool, banks_due
    FROM sheets
    WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, nation, 'loans', loans, loans_due FROM sheets WHERE tick > 0
    UNION ALL
    SELECT run, member, tick, NULL, 'money of all nations', held, money FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'equity of all nations', capital, equity FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'loans of all nations', lent, loans FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'debts of all nations', owed, public_debt FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'what firms earned of what was spent', revenue, bought FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'exports of imports', exports, imports FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'estates, inherited or fallen to treasuries', inherited + unclaimed, estates
    FROM both_worlds
    UNION ALL
    SELECT run, member, tick, NULL, 'deposits after estates', holdings, holdings_due FROM both_worlds WHERE tick > 0
    UNION ALL
    SELECT run, member, quarter, region, 'citizens of a region', citizens, citizens_due FROM quarterly WHERE quarter > 0
    UNION ALL
    SELECT run, member, quarter, region, 'fuel in the ground', reserve, reserve_due FROM quarterly WHERE quarter > 0
    UNION ALL
    SELECT run, member, quarter, region, 'land by use', area, area_due FROM quarterly WHERE quarter > 0
    UNION ALL
    SELECT run, member, year, NULL, 'stock of ' || good, stock, stock_due FROM yearly WHERE year > 0
    UNION ALL
    SELECT run, member, year, NULL, good || ' sold of received', sold, received FROM markets
    UNION ALL
    SELECT run, member, year, NULL, good || ' of all markets', m.made - m.used - m.gone,
        g.made - g.used - g.consumed - g.built - g.perished - g.carried
    FROM goods AS g LEFT JOIN markets AS m USING (run, member, year, good)
    UNION ALL
    SELECT run, member, year, nation, 'exports by partner', coalesce(sold, 0), exports
    FROM exports LEFT JOIN trades USING (run, member, year, nation)
    UNION ALL
    SELECT run, member, year, region, 'arrivals by origin', coalesce(moved.arrivals, 0), came.arrivals
    FROM came LEFT JOIN moved USING (run, member, year, region)
    UNION ALL
    SELECT run, member, NULL, NULL, 'citizens of all ages', sum(d.citizens), any_value(e.citizens)
    FROM ends AS e LEFT JOIN demographic AS d USING (run, member)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, NULL, 'households of all generations', sum(g.households), any_value(e.households)
    FROM ends AS e LEFT JOIN generation AS g USING (run, member)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, NULL, 'loans of all firms', sum(f.loan), any_value(e.loans)
    FROM ends AS e LEFT JOIN firm AS f USING (run, member)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, NULL, 'deposits of the Lorenz curve', max(l.deposits), any_value(w.deposits)
    FROM ends AS e LEFT JOIN lorenz AS l USING (run, member) LEFT JOIN worlds AS w USING (run, member, tick)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, number, 'invariant ' || invariant, counted, due FROM invariant
    UNION ALL
    SELECT run, member, NULL, NULL, 'ticks that are there', count(DISTINCT t.tick), any_value(ticks)
    FROM members JOIN run USING (run) LEFT JOIN timeseries AS t USING (run, member)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, NULL, 'invariants that hold', count(i.number) FILTER (WHERE residue = 0), 18
    FROM members LEFT JOIN invariant AS i USING (run, member)
    GROUP BY run, member
    UNION ALL
    SELECT run, member, NULL, nation, 'ticks of a nation', count(DISTINCT tick), any_value(ticks)
    FROM finance JOIN run USING (run)
    GROUP BY run, member, nation
    UNION ALL
    SELECT run, member, NULL, region, 'quarters of a region', count(DISTINCT quarter), (any_value(ticks) + 12) // 13
    FROM region JOIN run USING (run)
    GROUP BY run, member, region
)
SELECT run, member, what, time, place, found, expected
FROM checks
WHERE found IS DISTINCT FROM expected
ORDER BY ALL

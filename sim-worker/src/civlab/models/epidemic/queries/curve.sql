-- title: Epidemic curve
-- shows: New infections by day: the median member, and the band that holds nine tenths of them.
-- source: Kermack and McKendrick, Proc. R. Soc. A 115 (1927) 700
-- chart: line
-- x: tick | day
-- y: new_infections | persons a day
-- band: low, high
-- series: run
SELECT
    run,
    tick,
    quantile_cont(new_infections, 0.05) AS low,
    median(new_infections) AS new_infections,
    quantile_cont(new_infections, 0.95) AS high
FROM timeseries
GROUP BY run, tick
ORDER BY run, tick

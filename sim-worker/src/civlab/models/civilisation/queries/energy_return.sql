-- title: Energy return
-- shows: Energy that the energy industry made over the energy that went into getting it: inputs of the fuel and energy
--   industries by their embodied primary energy at the start, the fuel that is turned into energy and capital aside. What
--   a lot takes is the same in all years, however little fuel is left in the ground, so this ratio tells scenarios apart
--   and hardly moves within a run, by the mix of fuel and energy made alone. What a run's years change is beside it:
--   energy made over all primary energy taken from the ground and from renewable sources, by whomever it was used;
--   median and nine tenths of the members.
-- source: Hall, Lambert and Balogh, Energy Policy 64 (2014) 141; Leontief, Rev. Econ. Stat. 52 (1970) 262
-- chart: line
-- x: year | year of the run
-- y: energy_return | energy made over energy spent
-- series: run
-- band: low, high
WITH spent_on_a_unit AS (
    -- joules of primary energy in the inputs of a unit of the good
    SELECT run, member, industry AS good, sum(units / input_lot * input_intensity) / any_value(lot) AS joules
    FROM technology
    WHERE industry = 'fuel' OR (industry = 'energy' AND input <> 'fuel')
    GROUP BY run, member, industry
),
spent AS (
    SELECT run, member, year, sum(made * joules) AS joules
    FROM goods JOIN spent_on_a_unit USING (run, member, good)
    GROUP BY run, member, year
),
gained AS (
    SELECT run, member, year, sum(made) / 1000 AS made, sum(extracted + gained) / 1000 AS primary_energy
    FROM energy
    GROUP BY run, member, year
),
ratios AS (
    SELECT run, year, made / nullif(joules, 0) AS energy_return, made / nullif(primary_energy, 0) AS made_of_primary
    FROM spent JOIN gained USING (run, member, year)
)
SELECT
    run,
    year,
    quantile_cont(energy_return, 0.05) AS low,
    median(energy_return) AS energy_return,
    quantile_cont(energy_return, 0.95) AS high,
    median(made_of_primary) AS made_of_primary
FROM ratios
GROUP BY run, year
ORDER BY run, year

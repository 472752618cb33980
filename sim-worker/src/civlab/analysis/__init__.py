"""Analyses of any model's ensembles: what matters (sensitivity), which parameters fit (calibration), from when on a
metric is stationary (burn-in), whether outcomes depend on the time step, and what aggregated regions cost in accuracy
(zooming).

They stand above runs and results and know no model, but for zooming, which only one model has. Every other member that
they look at is a member of an ordinary run, so whatever an analysis says can be verified, resumed and opened like any
other run. SALib and Optuna come with the extra
`analysis` and are imported when they are needed.
"""

"""FaIR 2.2 on the climate model's own numbers: three gases, other forcing prescribed, no noise.

Its inputs are read from the compiled scenario, so both programs begin from the same bits; what FaIR works out itself
(concentrations per emission, matrix exponentials) it works out itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from fair import FAIR
from fair.interface import fill, initialise
from numpy.typing import NDArray

from civlab.models.climate.compile import CompiledClimate
from civlab.models.climate.layout import PUBLISHED

VERSION = version("fair")
GASES = ("CO2", "CH4", "N2O")
SPECIES = (*GASES, "Other")
COLUMN = {column.name: k for k, column in enumerate(PUBLISHED)}
ADJUSTMENT = {"CO2": 0.05, "CH4": -0.14, "N2O": 0.07}
WEIGHT = {"CO2": 44.009, "CH4": 16.043, "N2O": 44.013}


@dataclass(frozen=True)
class FairRun:
    """A prepared run; `run` computes it."""

    model: Any

    def run(self) -> None:
        """All scenarios, members and years."""
        self.model.run(progress=False)

    def temperature(self) -> NDArray[np.float64]:
        """K after each year, [years, scenarios, members]."""
        return np.asarray(self.model.temperature.data[1:, :, :, 0])

    def concentration(self, gas: str) -> NDArray[np.float64]:
        """ppm or ppb after each year, [years, scenarios, members]."""
        return np.asarray(self.model.concentration.data[1:, :, :, SPECIES.index(gas)])


def prepare(scenarios: Sequence[CompiledClimate]) -> FairRun:
    """A run of all scenarios with the parameter sets of the first; factors of methane's lifetime must be 1."""
    first = scenarios[0]
    assert all((scenario.years["ch4_factor"] == 1).all() for scenario in scenarios)
    model = FAIR(ch4_method="thornhill2021")
    model.define_time(first.start, first.start + first.ticks, 1)
    model.define_scenarios([str(k) for k in range(len(scenarios))])
    model.define_configs(list(range(len(first.sets))))
    model.define_species(list(SPECIES), {specie: properties(specie) for specie in SPECIES})
    model.allocate()
    ones = np.ones(len(first.sets))
    for k, scenario in enumerate(scenarios):
        for gas in GASES:
            fill(model.emissions, scenario.years[gas.lower()][:, None] * ones, scenario=str(k), specie=gas)
        forcing = np.concatenate([[0.0], scenario.years["other"]])
        fill(model.forcing, forcing[:, None] * ones, scenario=str(k), specie="Other")
    fill_gases(model, first)
    fill_members(model, np.array(first.sets))
    for state in (model.forcing, model.temperature, model.cumulative_emissions, model.airborne_emissions):
        initialise(state, 0.0)
    initialise(model.concentration, model.species_configs["baseline_concentration"])
    return FairRun(model)


def properties(specie: str) -> dict[str, Any]:
    """How FaIR treats a specie."""
    kind = "unspecified" if specie == "Other" else specie.lower()
    return {
        "type": kind,
        "input_mode": "forcing" if specie == "Other" else "emissions",
        "greenhouse_gas": specie != "Other",
        "aerosol_chemistry_from_emissions": False,
        "aerosol_chemistry_from_concentration": specie in ("CH4", "N2O"),
    }


def fill_gases(model: Any, scenario: CompiledClimate) -> None:
    """What all members share."""
    row = scenario.record[0]
    configs = model.species_configs
    plain = {"forcing_efficacy": 1.0, "forcing_temperature_feedback": 0.0, "forcing_scale": 1.0}
    for specie in SPECIES:
        for name, value in {**plain, "tropospheric_adjustment": ADJUSTMENT.get(specie, 0.0)}.items():
            fill(configs[name], value, specie=specie)
    single = {"CH4": float(row["ch4_lifetime"]), "N2O": float(row["n2o_lifetime"])}
    for gas in GASES:
        lifetime = [single[gas]] * 4 if gas in single else row["lifetime"]
        partition = np.array([1.0, 0.0, 0.0, 0.0]) if gas in single else row["partition"]
        fill(configs["unperturbed_lifetime"], np.array(lifetime), specie=gas)
        fill(configs["partition_fraction"], partition, specie=gas)
        fill(configs["molecular_weight"], WEIGHT[gas], specie=gas)
        fill(configs["forcing_reference_concentration"], float(row[f"reference_{gas.lower()}"]), specie=gas)
    for name in ("CH4", "N2O"):
        fill(configs["baseline_concentration"], float(row[f"{name.lower()}_baseline"]), specie=name)
        fill(configs["baseline_emissions"], float(row[f"{name.lower()}_baseline_emissions"]), specie=name)
        fill(configs["ch4_lifetime_chemical_sensitivity"], float(row[f"ch4_by_{name.lower()}"]), specie=name)
        for constant in ("iirf_airborne", "iirf_uptake", "iirf_temperature"):
            fill(configs[constant], 0.0, specie=name)
    fill(configs["lifetime_temperature_sensitivity"], float(row["ch4_by_temperature"]))
    fill(configs["baseline_emissions"], 0.0, specie="CO2")
    model.calculate_iirf0()
    model.calculate_g()
    for name in ("g0", "g1"):
        fill(configs[name], float(row[name]), specie="CO2")
    model.calculate_concentration_per_emission()


def fill_members(model: Any, sets: NDArray[np.float64]) -> None:
    """What each member has of its own; its scales hold the adjustments, which FaIR multiplies by itself."""
    climate, configs = model.climate_configs, model.species_configs
    layers = ("surface", "middle", "deep")
    climate["ocean_heat_capacity"].data[:] = sets[:, [COLUMN[f"heat_capacity_{layer}"] for layer in layers]]
    climate["ocean_heat_transfer"].data[:] = sets[
        :, [COLUMN[name] for name in ("feedback", "transfer_middle", "transfer_deep")]
    ]
    climate["deep_ocean_efficacy"].data[:] = sets[:, COLUMN["efficacy"]]
    climate["gamma_autocorrelation"].data[:] = sets[:, COLUMN["gamma"]]
    climate["forcing_4co2"].data[:] = 8.0
    climate["stochastic_run"].data[:] = False
    climate["use_seed"].data[:] = False
    for name in ("iirf_0", "iirf_uptake", "iirf_temperature", "iirf_airborne"):
        fill(configs[name], sets[:, COLUMN[name]], specie="CO2")
    fill(configs["baseline_concentration"], sets[:, COLUMN["co2_baseline"]], specie="CO2")
    for gas in GASES:
        fill(configs["forcing_scale"], sets[:, COLUMN[f"{gas.lower()}_scale"]] / (1 + ADJUSTMENT[gas]), specie=gas)
    model.ocean_heat_content_change.data[0] = 0.0

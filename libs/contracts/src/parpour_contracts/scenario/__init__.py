"""Scenario documents: strict YAML in, a frozen and checked scenario out, and what a planner must know about its size.

They stand in the contracts because the operator refuses a bad document before a pod starts, with the same words as
the shell; the data behind named tables and the arithmetic of the model stay in civlab.
"""

from parpour_contracts.scenario.builtin import BUILTIN, builtin_scenario
from parpour_contracts.scenario.civilisation.document import CivilisationScenario
from parpour_contracts.scenario.climate import ClimateScenario
from parpour_contracts.scenario.document import Estimate, Scenario
from parpour_contracts.scenario.epidemic import EpidemicScenario
from parpour_contracts.scenario.errors import ScenarioError
from parpour_contracts.scenario.estimate import estimate
from parpour_contracts.scenario.exchange import ExchangeScenario
from parpour_contracts.scenario.parse import Parameter, canonical, json_schema, override, parameters, parse_scenario
from parpour_contracts.scenario.registry import MODELS

__all__ = [
    "BUILTIN",
    "MODELS",
    "CivilisationScenario",
    "ClimateScenario",
    "EpidemicScenario",
    "Estimate",
    "ExchangeScenario",
    "Parameter",
    "Scenario",
    "ScenarioError",
    "builtin_scenario",
    "canonical",
    "estimate",
    "json_schema",
    "override",
    "parameters",
    "parse_scenario",
]

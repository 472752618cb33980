"""The models that a scenario document can name, each with the class of its documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from parpour_contracts.scenario.civilisation.document import CivilisationScenario
from parpour_contracts.scenario.climate import ClimateScenario
from parpour_contracts.scenario.document import Scenario
from parpour_contracts.scenario.epidemic import EpidemicScenario
from parpour_contracts.scenario.errors import ScenarioError, nearest
from parpour_contracts.scenario.exchange import ExchangeScenario

MODELS: Mapping[str, type[Scenario]] = MappingProxyType(
    {
        "civilisation": CivilisationScenario,
        "climate": ClimateScenario,
        "epidemic": EpidemicScenario,
        "exchange": ExchangeScenario,
    }
)


def document_class(model: object) -> type[Scenario]:
    """The class of a model's documents; raises ScenarioError SCENARIO_OUT_OF_RANGE with the nearest name."""
    if isinstance(model, str) and model in MODELS:
        return MODELS[model]
    shown = str(model)[:80]
    hint = nearest(shown, MODELS)
    raise ScenarioError("SCENARIO_OUT_OF_RANGE", "model", f"no model {shown!r}{hint}; known: {', '.join(MODELS)}")

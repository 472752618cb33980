"""How a worker ends: one exit code and one termination message for everything that can happen.

The exit code follows from the fault's stable code alone, so that the same fault counts the same whenever it comes:
what the run document says wrongly fails the Job at once, what a store refuses or a node lacks counts as a failed
attempt, and everything else is the simulation's own and fails the Job too.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from civlab.errors import CivlabError
from civlab.redacting import without_address_secrets
from civlab.worker.surroundings import TERMINATION_LOG
from parpour_contracts.exitcodes import ExitCode
from parpour_contracts.messages import Termination
from parpour_contracts.scenario import ScenarioError

log = logging.getLogger(__name__)

AWAY = (
    "STORE_REFUSED",
    "STORE_UNREACHABLE",
    "STORE_NOT_FOUND",
    "STORE_OBJECT_MISSING",
    "RUN_NOT_COMPLETE",
    "BACKEND_",
    "NODE_",
)
"""Beginnings of the codes of what another attempt, perhaps on another node, may find mended."""
SPEC_FAULTS = ("SCENARIO_", "DESIGN_", "RUN_", "WORKER_", "STORE_ADDRESS_")
"""Beginnings of the codes of what is wrong with what the pod was told to run."""
_SECRET_NAME = re.compile(r"SECRET|PASSWORD|TOKEN|CREDENTIAL|KEY$", re.IGNORECASE)
_SECRET_LENGTH = 4
"""Shorter values are no secrets, and blanking them would garble the words that hold them."""


@dataclass(frozen=True)
class Ending:
    """The exit code and the last word."""

    exit_code: ExitCode
    termination: Termination


def done(message: str) -> Ending:
    """All work is done."""
    return Ending(ExitCode.DONE, Termination(code="DONE", message=message))


def stopped(message: str) -> Ending:
    """Told to stop with work left."""
    return Ending(ExitCode.STOPPED_WITH_WORK_LEFT, Termination(code="STOPPED_WITH_WORK_LEFT", message=message))


def failed(fault: BaseException) -> Ending:
    """What a fault means for the Job."""
    if isinstance(fault, CivlabError | ScenarioError):
        return Ending(_exit_code(fault.code), Termination(code=fault.code, message=_sentence(fault)))
    if isinstance(fault, MemoryError):
        message = "the pod's memory is too small; a shard's needs more spec.resources.requests.memory or spec.shards"
        return Ending(ExitCode.UNAVAILABLE, Termination(code="OUT_OF_MEMORY", message=message))
    message = f"{type(fault).__name__}: {fault}; the pod's log has the trace"
    return Ending(ExitCode.BROKEN_INVARIANT, Termination(code="INTERNAL_FAULT", message=message))


def _exit_code(code: str) -> ExitCode:
    if code.startswith(AWAY):
        return ExitCode.UNAVAILABLE
    return ExitCode.BAD_SPEC if code.startswith(SPEC_FAULTS) else ExitCode.BROKEN_INVARIANT


def _sentence(fault: CivlabError | ScenarioError) -> str:
    return f"{fault.path}: {fault.message}" if fault.path else fault.message


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """The text with the values of variables that look like credentials blanked, and addresses without their queries."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and len(value) >= _SECRET_LENGTH:
            text = text.replace(value, "…")
    return without_address_secrets(text)


def write_termination(ending: Ending, path: Path, environment: Mapping[str, str]) -> None:
    """Write the last word where the kubelet reads it.

    The kubelet always mounts the default path; where it is absent there is no kubelet, and nothing is written.
    """
    if path == TERMINATION_LOG and not path.exists():
        return
    message = without_secrets(ending.termination.message, environment)
    try:
        path.write_bytes(ending.termination.model_copy(update={"message": message}).to_bytes())
    except OSError as fault:
        log.warning("the termination message cannot be written to %s: %s", path, fault.strerror)

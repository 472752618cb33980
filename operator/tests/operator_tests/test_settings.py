"""Settings from the environment, quantities, and the permission table."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_operator.permissions import PERMISSIONS
from parpour_operator.quantities import parse_quantity, show_bytes
from parpour_operator.settings import Settings, SettingsError

pytestmark = pytest.mark.unit

ENOUGH = {"PARPOUR_WORKER_IMAGE": "worker:1", "POD_NAME": "operator-0", "POD_NAMESPACE": "system"}


def test_settings_come_from_prefixed_variables() -> None:
    settings = Settings.from_env(
        {**ENOUGH, "PARPOUR_WATCH_NAMESPACES": "a, b", "PARPOUR_WORKERS": "3", "PARPOUR_WORKER_BASE_MEMORY": "256Mi"}
    )
    assert (settings.identity, settings.namespace) == ("operator-0", "system")
    assert settings.watch_namespaces == ("a", "b")
    assert (settings.workers, settings.worker_base_memory) == (3, 256 * 1024**2)


def test_a_wrong_setting_is_named_with_its_variable() -> None:
    with pytest.raises(SettingsError, match=r"PARPOUR_WORKERS.*greater than"):
        Settings.from_env({**ENOUGH, "PARPOUR_WORKERS": "0"})
    with pytest.raises(SettingsError, match="PARPOUR_WORKER_IMAGE"):
        Settings.from_env({"POD_NAME": "a"})
    with pytest.raises(SettingsError, match="lease_renew_deadline"):
        Settings.from_env({**ENOUGH, "PARPOUR_LEASE_RENEW_DEADLINE": "20"})


def test_wrong_settings_end_the_process_with_a_code_and_no_traceback() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "parpour_operator"], env={}, capture_output=True, text=True, check=False
    )
    assert found.returncode == 2
    assert found.stderr.startswith("OPERATOR_SETTINGS_INVALID: PARPOUR_WORKER_IMAGE")
    assert "Traceback" not in found.stderr


def test_settings_and_permissions_can_be_printed() -> None:
    for flag, member in (("--print-settings", "worker_image"), ("--print-permissions", "simulations/status")):
        found = subprocess.run(
            [sys.executable, "-m", "parpour_operator", flag], env=ENOUGH, capture_output=True, text=True, check=True
        )
        assert member in json.dumps(json.loads(found.stdout))


def test_no_permission_reads_secrets_or_uses_wildcards() -> None:
    for permission in PERMISSIONS:
        if "secrets" in permission.resources:
            assert set(permission.verbs) == {"create", "patch"}
            assert permission.names == ("parpour-bus", "parpour-store")
        assert "*" not in (*permission.resources, *permission.verbs, permission.group)


@pytest.mark.parametrize(
    ("text", "amount"), [("500m", "0.5"), ("2", "2"), ("1.5", "1.5"), ("512Mi", "536870912"), ("3G", "3000000000")]
)
def test_quantities_are_exact(text: str, amount: str) -> None:
    assert str(parse_quantity(text).normalize()) == str(parse_quantity(amount).normalize())


@pytest.mark.parametrize("text", ["", "-1", "1e3", "1 Gi", "1Xi", "٣"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


@given(st.integers(0, 2**50))
def test_shown_bytes_are_never_less(amount: int) -> None:
    assert parse_quantity(show_bytes(amount)) >= amount

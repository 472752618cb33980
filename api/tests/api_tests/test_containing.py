"""Containment over the API: what is stopped, and what becomes of each spend that was in flight."""

from __future__ import annotations

from typing import Any

import pytest

from parpour_treasury.spending.containing import FATES
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT

from .building import Caller
from .spending import Spending

pytestmark = pytest.mark.anyio

FLIGHT = "fragment F on InFlight { spend before after fate code }"


async def stop(caller: Caller, call: str) -> Any:
    kind = {
        "freezeVenture": "StoppedVenture",
        "throwKillSwitch": "StoppedVenture",
        "holdPayee": "HeldPayee",
        "revokeMember": "RevokedMember",
    }
    made = kind[call.partition("(")[0]]
    selected = f"__typename ... on Refusal {{ code field }} ... on {made} {{ already inFlight {{ ...F }} }}"
    return (await caller.ask(f"{FLIGHT} mutation {{ r: {call} {{ {selected} }} }}"))["r"]


@pytest.mark.parametrize("what", ["freezeVenture(", "holdPayee(payee: {shop}, ", "revokeMember(actor: {agent}, "])
async def test_what_was_not_sent_is_called_off(venture: Spending, what: str) -> None:
    reserved = (await venture.request("9.00"))["spend"]
    waiting = (await venture.request("20.00"))["spend"]
    call = what.replace("{shop}", f'"{venture.venture.shop}"').replace("{agent}", f'"{AGENT}"')
    told = await stop(venture.caller("bob"), f'{call}reason: "odd", callOff: true)')
    assert told["already"] is False
    assert told["inFlight"] == [
        {"spend": reserved["id"], "before": "RESERVED", "after": "CANCELLED", "fate": "", "code": None},
        {"spend": waiting["id"], "before": "AWAITING_APPROVAL", "after": "CANCELLED", "fate": "", "code": None},
    ]
    again = await stop(venture.caller("bob"), f'{call}reason: "odd", callOff: true)')
    assert (again["already"], again["inFlight"]) == (True, [])


async def test_without_it_everything_waits_and_says_for_what(venture: Spending) -> None:
    reserved = (await venture.request("9.00"))["spend"]
    told = await stop(venture.caller("dan"), 'freezeVenture(reason: "odd")')
    (one,) = told["inFlight"]
    assert (one["spend"], one["after"], one["fate"]) == (reserved["id"], "RESERVED", FATES[State.RESERVED])
    assert one["code"] is None


async def test_who_may_only_stop_it_is_told_so(venture: Spending) -> None:
    await venture.request("9.00")
    told = await stop(venture.caller("dan"), 'freezeVenture(reason: "odd", callOff: true)')
    assert [(one["after"], one["code"]) for one in told["inFlight"]] == [("RESERVED", "TREASURY_ROLE_MISSING")]


async def test_the_kill_switch_tells_what_is_in_flight_and_software_of_its_own(venture: Spending) -> None:
    mine = (await venture.request("9.00"))["spend"]["id"]
    other = (await venture.request("0.50", by="other"))["spend"]["id"]
    fate = FATES[State.RESERVED]
    for caller, already, spends in (("buyer", False, [mine]), ("dan", True, [mine, other]), ("other", True, [other])):
        told = await stop(venture.caller(caller), 'throwKillSwitch(reason: "odd")')
        assert told["already"] is already
        assert [(one["spend"], one["before"], one["after"], one["fate"]) for one in told["inFlight"]] == [
            (spend, "RESERVED", "RESERVED", fate) for spend in spends
        ]

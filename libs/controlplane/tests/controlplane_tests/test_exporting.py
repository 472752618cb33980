"""An export proves what the database shows, wherever it is verified, and says where somebody changed something."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parpour_controlplane import exporting
from parpour_controlplane.chain.exports import block_line, checkpoint_line, event_line, head_line, read_history
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.chain.verifying import History, Proof, Verified, verify
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.exporting import verify_export
from parpour_controlplane.sealing.sealer import SealingPace
from parpour_controlplane.testing import Place

from .histories import KEYS, history
from .sealing_of import KEY, NEXT_KEY, Sealing, sealing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


async def sealed(here: Sealing, *, blocks: int = 3) -> None:
    sealer = here.sealer()
    for _ in range(blocks):
        (first,) = await here.writer.write(here.tenant)
        await here.writer.write(here.tenant, cause=first)
        await sealer.round()
    await sealer.finish()


async def test_an_export_verifies_against_a_checkpoint_that_was_kept(
    here: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 2)
    await sealed(here)
    _, kept = here.store.last(here.tenant)
    await sealed(here)
    verified = verify_export(await here.export(), [KEY.public], kept)
    assert (verified.events, verified.blocks, verified.erased) == (12, 6, 0)
    with pytest.raises(ChainFault, match="CHAIN_KEY_UNKNOWN"):
        verify_export(await here.export(), [NEXT_KEY.public], kept)


async def test_what_no_checkpoint_covers_is_not_exported(here: Sealing) -> None:
    sealer = here.sealer(pace=SealingPace(lease=60.0, sign=60.0))
    for _ in range(3):
        await here.writer.write(here.tenant)
        await sealer.round()
    assert (await here.verify()).events == 1
    await sealer.finish()
    assert (await here.verify()).events == 3


async def test_a_tenant_without_events_has_an_empty_history(here: Sealing) -> None:
    verified = await here.verify()
    assert (verified.events, verified.checkpoint) == (0, None)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("update controlplane.event e set actor = 'eve' {at} 3", "CHAIN_EVENT_CHANGED: event 3"),
        ("update controlplane.event e set payload = '{{}}' {at} 3", "CHAIN_PAYLOAD_CHANGED: event 3"),
        ("update controlplane.event e set occurred_at = now() {at} 3", "CHAIN_EVENT_CHANGED: event 3"),
        ("update controlplane.event e set causation = null {at} 2", "CHAIN_EVENT_CHANGED: event 2"),
        ("update controlplane.sealed_event set leaf = sha256(leaf) where position = 4", "CHAIN_EVENT_CHANGED: event 4"),
        ("delete from controlplane.sealed_event where position = 3", "CHAIN_DROPPED: event 3"),
        ("delete from controlplane.sealed_event where position > 4", "CHAIN_TRUNCATED: event 5"),
        ("delete from controlplane.block where number = 2", "CHAIN_DROPPED: block 2"),
        ("delete from controlplane.block where number = 3", "CHAIN_TRUNCATED: block 3"),
        ("update controlplane.block set root = sha256(root) where number = 2", "CHAIN_BLOCK_CHANGED: block 2"),
        (
            "update controlplane.sealed_event s set salt = t.salt from controlplane.sealed_event t "
            "where s.position = 2 and t.position = 3",
            "CHAIN_PAYLOAD_CHANGED: event 2",
        ),
    ],
)
async def test_what_an_administrator_changed_is_named(here: Sealing, statement: str, fault: str) -> None:
    await sealed(here)
    assert (await here.verify()).events == 6
    at = "from controlplane.sealed_event s where s.event_id = e.event_id and s.position ="
    async with here.writer.connection.transaction():
        await here.writer.connection.execute("set local session_replication_role = replica")
        await here.writer.connection.execute(statement.format(at=at))
    with pytest.raises(ChainFault) as caught:
        await here.verify()
    assert str(caught.value).startswith(fault)


async def test_a_store_that_lost_its_end_is_found_by_the_kept_checkpoint(here: Sealing) -> None:
    await sealed(here)
    number, kept = here.store.last(here.tenant)
    next(here.store.folder.rglob(f"{number:012}")).unlink()
    with pytest.raises(ChainFault, match="CHAIN_ROLLED_BACK"):
        verify_export(await here.export(), [KEY.public], kept)


def lines(of: History) -> list[str]:
    return [
        head_line(of.tenant),
        *map(event_line, of.events),
        *map(block_line, of.blocks),
        *map(checkpoint_line, of.checkpoints),
    ]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 30))
def test_a_history_survives_its_file(sizes: list[int], erased: int) -> None:
    made = history(sizes, causes={})
    place = erased % len(made.events)
    made = replace(made, events=[*made.events[:place], made.events[place].erased(), *made.events[place + 1 :]])
    read = read_history(lines(made))
    assert (read.tenant, list(read.events), list(read.blocks), list(read.checkpoints)) == (
        made.tenant,
        list(made.events),
        list(made.blocks),
        list(made.checkpoints),
    )
    assert verify(read, keys=KEYS).erased == 1


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exported") / "export"


def verdict(ask: Callable[[], Verified]) -> object:
    try:
        return ask()
    except ControlPlaneError as fault:
        return fault.code, str(fault)


@given(st.data())
def test_a_file_that_is_gone_through_is_judged_as_one_in_memory(path: Path, data: st.DataObject) -> None:
    made = lines(history())
    for _ in range(data.draw(st.integers(0, 2))):
        place, to = data.draw(st.integers(1, len(made) - 1)), data.draw(st.integers(1, len(made)))
        match data.draw(st.sampled_from(["drop", "move", "repeat", "space", "two in one", "change"])):
            case "drop" if len(made) > 2:
                del made[place]
            case "move":
                made.insert(min(to, len(made) - 1), made.pop(place))
            case "repeat":
                made.insert(to, made[place])
            case "space":
                made[place] = " " + made[place].replace(":", " : ", 1)
            case "two in one":
                made[place] = made[place].rstrip().removesuffix("}") + "," + made[to - 1].removeprefix("{")
            case _:
                made[place] = made[place].replace("0", "1", 1)
    path.write_text("".join(made), encoding="utf-8")
    in_memory = verdict(lambda: verify(read_history(made), keys=KEYS))
    assert verdict(lambda: verify_export(path, [KEY.public])) == in_memory or "EXPORT_MALFORMED" in str(in_memory)


def test_a_large_file_is_not_held_in_memory(path: Path) -> None:
    of = history([500] * 8)
    path.write_text("".join(lines(of)), encoding="utf-8")
    tracemalloc.start()
    assert verify_export(path, [KEY.public]).events == 4000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # What is kept of an event is its id.
    assert peak < path.stat().st_size / 3


def test_what_was_not_gone_through_is_not_verified() -> None:
    proof = Proof(history(), keys=KEYS)
    next(iter(proof))
    with pytest.raises(ValueError, match="not gone through"):
        _ = proof.verified


@given(st.data())
def test_a_file_with_any_line_changed_is_malformed_or_does_not_verify(data: st.DataObject) -> None:
    made = lines(history())
    place = data.draw(st.integers(0, len(made) - 1))
    line = made[place]
    at = data.draw(st.integers(0, len(line) - 2))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one.lower() != line[at].lower()))
    made[place] = line[:at] + other + line[at + 1 :]
    with pytest.raises(ControlPlaneError) as caught:
        # Where JSON allows another space, or another way to write the same, nothing was changed.
        assume(verify(read_history(made), keys=KEYS).events != len(history().events))
    assert caught.value.code == "EXPORT_MALFORMED" or isinstance(caught.value, ChainFault)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        '{"form":"another","tenant":"x"}\n',
        "[]\n",
        "null\n",
        "[" * 100_000,
        head_line(history().tenant) + '{"event":{"header":"zz"}}\n',
        head_line(history().tenant) + '{"block":{"number":1.5}}\n',
        head_line(history().tenant) + '{"block":null}\n',
        head_line(history().tenant) + '{"checkpoint":7}\n',
        head_line(history().tenant) + "7\n",
        head_line(history().tenant) + event_line(history().events[0]).replace('"salt"', '"pepper"'),
    ],
)
def test_what_is_no_export_is_malformed(tmp_path: Path, text: str) -> None:
    (tmp_path / "export").write_text(text)
    with pytest.raises(ControlPlaneError) as caught:
        verify_export(tmp_path / "export", [KEY.public])
    assert caught.value.code == "EXPORT_MALFORMED"


def test_bytes_that_are_no_text_are_malformed(tmp_path: Path) -> None:
    (tmp_path / "export").write_bytes(head_line(history().tenant).encode() + b'{"event": "\xff\xfe"}\n')
    with pytest.raises(ControlPlaneError) as caught:
        verify_export(tmp_path / "export", [KEY.public])
    assert caught.value.code == "EXPORT_MALFORMED"

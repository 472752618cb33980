"""The arrays of the bandwidth figures: kernels walk all of them, and the column is one that the phase streams."""

from __future__ import annotations

import pytest

from bench.civilisation_streams import STREAMS, arrays_of, gigabytes_a_second
from civlab.models.civilisation.layout import FLOWS
from civlab.models.civilisation.phases import PHASES
from civlab.runtime.backend import Backend


@pytest.mark.unit
def test_a_column_is_one_that_the_tick_says_its_phase_streams() -> None:
    rows = {phase.name: phase for phase in PHASES}
    assert all(stream.column in rows[name].streams for name, stream in STREAMS.items())


@pytest.mark.kernel
def test_a_phase_walks_the_whole_column() -> None:
    stream = STREAMS["hold"]
    arrays = arrays_of(stream, size=1 << 20, backend=Backend.cpu(1))
    for _ in range(2):
        assert gigabytes_a_second(arrays, "hold", stream.column) > 0
    assert arrays.column["flow"][FLOWS.index("holdings")] == 2 * (1 << 20) // 8


@pytest.mark.kernel
@pytest.mark.parametrize("name", [name for name in STREAMS if name != "hold"])
def test_a_phase_that_finds_nothing_changes_nothing(name: str) -> None:
    arrays = arrays_of(STREAMS[name], size=1 << 16, backend=Backend.cpu(1))
    before = arrays.column[STREAMS[name].column].copy()
    assert gigabytes_a_second(arrays, name, STREAMS[name].column) > 0
    assert (arrays.column[STREAMS[name].column] == before).all()
    assert not arrays.column["phase_digest"].any()

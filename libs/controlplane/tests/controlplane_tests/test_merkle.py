"""Trees are those of the standard."""

from __future__ import annotations

import pytest

from parpour_controlplane.chain.merkle import EMPTY, GrowingTree, leaf_hash, node_hash, root_of

pytestmark = pytest.mark.unit

# The inputs that the Certificate Transparency project tests its implementations with, and the roots over the first of
# them, from one to all eight.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(data: list[bytes]) -> bytes:
    """The root as RFC 9162, 2.1.1 defines it."""
    if len(data) == 1:
        return leaf_hash(data[0])
    split = 1 << (len(data) - 1).bit_length() - 1
    return node_hash(defined(data[:split]), defined(data[split:]))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of([leaf_hash(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size - 1]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of([]) == GrowingTree().root() == EMPTY


def test_a_tree_that_grows_has_the_defined_root_at_every_size() -> None:
    tree, data = GrowingTree(), [bytes([number]) for number in range(70)]
    for size, one in enumerate(data, 1):
        tree.append(leaf_hash(one))
        assert tree.size == size
        assert tree.root() == root_of([leaf_hash(each) for each in data[:size]]) == defined(data[:size])

"""Keys lie in files of their owner alone; checkpoints are kept once; a key hands over to the next."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from parpour_controlplane.chain.checkpoints import Checkpoint, sign, trusted
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.chain.verifying import History, verify
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.sealing.keys import is_exposed, read_signing_key, read_signing_keys, write_signing_key
from parpour_controlplane.sealing.stores import FolderStore, PlaceTakenError

from .histories import KEY, KEYS, NEXT_KEY, START, STRANGER, TENANT, history


def test_a_key_survives_its_file(tmp_path: Path) -> None:
    written = write_signing_key(tmp_path / "key", seed=b"s" * 32)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert read_signing_key(tmp_path / "key").key_id == written.key_id
    with pytest.raises(FileExistsError):
        write_signing_key(tmp_path / "key", seed=b"t" * 32)
    write_signing_key(tmp_path / "next", seed=b"t" * 32)
    keys = read_signing_keys([tmp_path / "key", tmp_path / "next"])
    assert keys.keys[0].key_id == written.key_id
    assert keys.current is keys.keys[1]


def test_a_key_of_openssl_is_one(tmp_path: Path) -> None:
    """The file's form is PKCS #8 (RFC 8410), so keys can be made by the usual tools."""
    openssl = shutil.which("openssl")
    assert openssl
    path = tmp_path / "key.pem"
    subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    path.chmod(0o600)
    key = read_signing_key(path)
    text = subprocess.run([openssl, "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True)
    assert text.stdout[-32:] == key.public


@pytest.mark.parametrize(
    ("mode", "owner", "reader", "exposed"),
    [
        (0o440, 0, 65532, False),
        (0o460, 0, 65532, True),
        (0o444, 0, 65532, True),
        (0o440, 65532, 65532, True),
        (0o440, 0, 0, True),
    ],
)
def test_a_group_may_read_a_file_of_roots_that_another_user_reads(
    mode: int, owner: int, reader: int, exposed: bool
) -> None:
    assert is_exposed(stat.S_IFREG | mode, owner=owner, reader=reader) is exposed
    assert is_exposed(stat.S_IFIFO | 0o400, owner=owner, reader=reader)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_a_key_that_others_may_touch_is_refused(tmp_path: Path, mode: int) -> None:
    write_signing_key(tmp_path / "key", seed=b"s" * 32)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(ControlPlaneError) as caught:
        read_signing_key(tmp_path / "key")
    assert caught.value.code == "SIGNING_KEY_EXPOSED"


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"secret"), ("long", b"x" * 10_000)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    for path in [*tmp_path.iterdir(), tmp_path / "absent", tmp_path]:
        with pytest.raises(ControlPlaneError) as caught:
            read_signing_key(path)
        assert caught.value.code == "SIGNING_KEY_UNREADABLE"
    with pytest.raises(ControlPlaneError):
        read_signing_keys([])


def test_a_checkpoint_is_kept_once(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    assert list(store.tenants()) == []
    assert store.last(TENANT) == (0, None)
    checkpoints = history().checkpoints
    for number, checkpoint in enumerate(checkpoints, 1):
        store.put(number, checkpoint)
    for checkpoint in checkpoints:
        with pytest.raises(PlaceTakenError):
            store.put(2, checkpoint)
    assert store.read(TENANT) == list(checkpoints)
    assert store.last(TENANT) == (3, checkpoints[-1])
    assert list(store.tenants()) == [TENANT]
    assert [path.name for path in (tmp_path / "store").rglob(".*")] == [], "no drafts are left"


def test_checkpoints_beyond_a_shelf_are_found(tmp_path: Path) -> None:
    store, (checkpoint, *_) = FolderStore(tmp_path), history().checkpoints
    for number in (998, 999, 1000, 1001):
        store.put(number, checkpoint)
        assert store.last(TENANT)[0] == number


def test_a_damaged_or_missing_checkpoint_is_named(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    for number, checkpoint in enumerate(history().checkpoints, 1):
        store.put(number, checkpoint)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    files[0].unlink()
    files[2].write_bytes(b"ppc1")
    for read in (store.read, store.last):
        with pytest.raises(ControlPlaneError) as caught:
            read(TENANT)
        assert caught.value.code == "CHECKPOINT_UNREADABLE"


def handed_over(*, back: bool = False, stranger: bool = False) -> History:
    """A history of three blocks whose second checkpoint hands over to the next key."""
    made = history()
    first, second, third = (one.head for one in made.checkpoints)
    one = sign(first, after=None, key=KEY, at=START)
    two = sign(second, after=one, key=KEY, at=START, successor=NEXT_KEY.public)
    last = sign(third, after=two, key=STRANGER if stranger else KEY if back else NEXT_KEY, at=START)
    return replace(made, checkpoints=(one, two, last))


def test_who_trusts_the_first_key_trusts_what_it_handed_over_to() -> None:
    made = handed_over()
    keys = trusted([KEY.public])
    assert verify(made, keys=keys).events == 9
    assert verify(made, keys=keys, kept=made.checkpoints[-1]).checkpoint == made.checkpoints[-1]
    with pytest.raises(ChainFault, match="CHAIN_KEY_UNKNOWN: checkpoint 1"):
        verify(made, keys=trusted([NEXT_KEY.public]))


def test_a_key_that_handed_over_counts_no_more() -> None:
    with pytest.raises(ChainFault, match="CHAIN_KEY_RETIRED: checkpoint 3"):
        verify(handed_over(back=True), keys=KEYS)
    with pytest.raises(ChainFault, match="CHAIN_KEY_UNKNOWN: checkpoint 3"):
        verify(handed_over(stranger=True), keys=KEYS)


def test_who_is_named_cannot_be_exchanged() -> None:
    made = handed_over()
    one, two, last = made.checkpoints
    swapped = replace(two, successor=STRANGER.public)
    for changed in (swapped, replace(two, successor=b"")):
        with pytest.raises(ChainFault, match="CHAIN_SIGNATURE_INVALID: checkpoint 2"):
            verify(replace(made, checkpoints=(one, changed, last)), keys=KEYS)


def test_a_handover_survives_its_journey() -> None:
    for checkpoint in handed_over().checkpoints:
        assert Checkpoint.decode(checkpoint.encode()) == checkpoint
        assert checkpoint.signs_next in (KEY.key_id, NEXT_KEY.key_id)
    encoded = handed_over().checkpoints[1].encode()
    for wrong in (encoded[:-1], encoded + b"x", b"ppc1" + encoded[4:], encoded[:-32]):
        with pytest.raises(ValueError, match="no checkpoint"):
            Checkpoint.decode(wrong)
    assert handed_over().tenant == UUID(int=7)

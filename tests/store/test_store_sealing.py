"""Sealing: nothing opens with another key, in another place, or changed; keys are made once and kept whole."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Sealed, StoreUnfit
from gateway.store.sealing import KeyFile, Keyring, Place, is_signed, key_id_of, write_durably

PLACE = Place(table="items", column="subject", row="abc")


def names(folder):
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "sealing.key"


@pytest.fixture
def keys(path):
    return Keyring(KeyFile.make(path))


def test_what_is_sealed_opens_in_its_place(keys):
    """Sealing the same text twice gives different octets, and both open."""
    one, two = keys.seal(b"text", PLACE), keys.seal(b"text", PLACE)
    assert one != two
    assert keys.open(one, PLACE) == keys.open(two, PLACE) == b"text"
    assert key_id_of(one) == keys.active
    assert b"text" not in one


@pytest.mark.parametrize(
    "place",
    [
        Place(table="items", column="subject", row="abd"),
        Place(table="items", column="envelope", row="abc"),
        Place(table="itemss", column="ubject", row="abc"),
        Place(table="decisions", column="subject", row="abc"),
    ],
)
def test_what_is_sealed_opens_nowhere_else(keys, place):
    """Table, column and row are bound, with their lengths."""
    with pytest.raises(Sealed, match=f"row {place.row} does not open with key {keys.active}"):
        keys.open(keys.seal(b"text", PLACE), place)


def test_no_changed_octet_goes_unnoticed(keys):
    """Every single octet of a sealed value is vouched for."""
    sealed = keys.seal(b"text", PLACE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(Sealed):
            keys.open(bytes(changed), PLACE)


def test_no_cut_value_opens(keys):
    """A value cut anywhere is refused, never half opened."""
    sealed = keys.seal(b"text", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(Sealed):
            keys.open(sealed[:length], PLACE)


@given(st.binary(max_size=80))
def test_whatever_stands_in_a_sealed_column_is_data(junk):
    """Opening junk raises Sealed and nothing else."""
    keys = _keys_in_memory()
    for value in (junk, b"GS\x01" + junk, keys.seal(b"", PLACE)[:16] + junk):
        with pytest.raises(Sealed):
            keys.open(value, PLACE)


def _keys_in_memory():
    class Alone(Keyring):
        def reload(self):
            """The file of these keys is nowhere."""

    return Alone(KeyFile(Path("/nowhere"), "key-1", {"key-1": b"k" * 32}, b"s" * 32))


def test_another_stores_key_of_the_same_id_does_not_open(keys, tmp_path):
    """A key is its octets, not its name."""
    other = Keyring(KeyFile(tmp_path / "x", keys.active, {keys.active: b"k" * 32}, b"s" * 32))
    with pytest.raises(Sealed, match="another key of that id, or changed bytes"):
        other.open(keys.seal(b"text", PLACE), PLACE)


def test_a_key_that_is_missing_is_named(keys, tmp_path):
    """The message names the key id to look for in escrow."""
    other = Keyring(KeyFile.make(tmp_path / "other"))
    sealed = other.seal(b"text", PLACE)
    with pytest.raises(Sealed, match=f"sealed with key {other.active}, which the key file lacks"):
        keys.open(sealed, PLACE)


def test_a_key_rotated_by_another_process_is_found(keys, path):
    """A running process reads the key file again when it meets a key it does not know."""
    elsewhere, key_id = KeyFile.read(path).with_new_key()
    sealed = Keyring(elsewhere.with_active(key_id)).seal(b"text", PLACE)
    assert keys.open(sealed, PLACE) == b"text"


def test_the_key_file_is_its_owners_alone_and_made_once(path, keys):
    """Mode 0600 in a folder of mode 0700; making it again is refused and changes nothing."""
    before = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(StoreUnfit, match="never overwritten"):
        KeyFile.make(path)
    assert path.read_bytes() == before
    assert names(path.parent) == ["sealing.key"]


def test_keys_are_added_and_activated_without_losing_any(path, keys):
    """Rotation keeps every key; what was read back is what was written."""
    grown, key_id = keys.file.with_new_key()
    assert grown.active == keys.active
    changed = grown.with_active(key_id)
    assert KeyFile.read(path) == changed
    assert changed.keys.items() >= keys.file.keys.items()
    assert changed.signing == keys.file.signing


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o666, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(path, keys, mode):
    """Everybody's key seals nothing; the remedy is in the message. A group may read, for secrets of containers."""
    path.chmod(0o640)
    KeyFile.read(path)
    path.chmod(mode)
    with pytest.raises(StoreUnfit, match=f"mode {mode:04o}.*chmod 600"):
        KeyFile.read(path)


def _changed(content, **changes):
    return json.dumps({**json.loads(content), **changes}).encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda old: b"",
        lambda old: old[: len(old) // 2],
        lambda old: b"[]",
        lambda old: b"null",
        lambda old: b"\xff\xfe",
        lambda old: _changed(old, format="other"),
        lambda old: _changed(old, active="key-0"),
        lambda old: _changed(old, keys={}),
        lambda old: _changed(old, keys=[]),
        lambda old: _changed(old, keys={"k": "AAAA"}, active="k"),
        lambda old: _changed(old, keys={"": "A" * 43 + "="}, active=""),
        lambda old: _changed(old, keys={"k" * 64: "A" * 43 + "="}, active="k" * 64),
        lambda old: _changed(old, signing="!"),
        lambda old: _changed(old, signing=None),
    ],
)
def test_a_key_file_that_is_none_is_refused_and_never_mended(path, keys, change):
    """Half a key file is restored from escrow, not guessed at."""
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(StoreUnfit, match="restore it from escrow"):
        KeyFile.read(path)


def test_a_key_file_that_is_missing_or_cannot_be_made_is_told(tmp_path):
    """Where, and who makes it; a folder that cannot be made is a sentence too."""
    with pytest.raises(StoreUnfit, match=r"there is no key file .*gateway store init"):
        KeyFile.read(tmp_path / "none")
    with pytest.raises(StoreUnfit, match="could not be read"):
        KeyFile.read(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnfit, match="could not be made"):
        KeyFile.make(tmp_path / "file" / "sealing.key")


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(path, keys, tmp_path):
    """The folder is gone at the rewrite: StoreUnfit, and the key in memory still seals."""
    path.parent.rename(tmp_path / "moved")
    with pytest.raises(StoreUnfit, match="could not be written"):
        keys.file.with_new_key()
    assert names(tmp_path / "moved") == ["sealing.key"]


def test_a_durable_write_replaces_whole_or_refuses(tmp_path):
    """Fresh refuses an existing name; both ways leave no temporary file."""
    path = tmp_path / "f"
    write_durably(path, b"one")
    with pytest.raises(FileExistsError):
        write_durably(path, b"two", fresh=True)
    assert path.read_bytes() == b"one"
    write_durably(path, b"three")
    assert path.read_bytes() == b"three"
    assert names(tmp_path) == ["f"]


def test_signatures_hold_for_their_text_and_key(keys):
    """A signature of another text, another key, or no base64 at all is none."""
    signature = keys.sign(b"text")
    assert is_signed(b"text", signature, keys.public_key)
    assert not is_signed(b"test", signature, keys.public_key)
    assert not is_signed(b"text", signature, _keys_in_memory().public_key)
    for odd in ("", "AAAA", "é", "=", signature[:-4]):
        assert not is_signed(b"text", odd, keys.public_key)
        assert not is_signed(b"text", signature, odd)

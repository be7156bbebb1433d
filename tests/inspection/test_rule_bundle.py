"""Reading rule files: which, in which order, within which bounds, under which hash."""

import os

import pytest
from rule_texts import POLICY, bundle, rule

from gateway.errors import Mistakes
from gateway.inspection import Bundle, read
from gateway.inspection.bundle import MAX_FILE_BYTES, MAX_FILES

TEXT = rule("invite: {phrase: x}")


@pytest.fixture
def folder(tmp_path):
    rules = tmp_path / "rules"
    (rules / "advance").mkdir(parents=True)
    (rules / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (rules / "advance" / "drink.yaml").write_text(TEXT, encoding="utf-8")
    return rules


def complaint(*paths):
    with pytest.raises(Mistakes) as raised:
        read(paths)
    return raised.value.mistakes


def test_reads_yaml_in_order_and_leaves_the_rest(folder):
    """README, schema and hidden files are not rules; the order is that of the paths."""
    for name in ("README.md", "schema.json", ".hidden.yaml"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / ".git").mkdir()
    (folder / ".git" / "config.yaml").write_text("x", encoding="utf-8")
    assert [file.name for file in read((folder,)).files] == ["advance/drink.yaml", "policy.yaml"]


def test_hash_is_of_content_not_of_place(folder, tmp_path):
    """The same files elsewhere are the same set; one changed character is another."""
    elsewhere = tmp_path / "elsewhere"
    folder_hash = read((folder,)).hash
    folder.rename(elsewhere)
    assert read((elsewhere,)).hash == folder_hash
    with (elsewhere / "policy.yaml").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    assert read((elsewhere,)).hash != folder_hash


def test_layer_is_part_of_the_hash(folder):
    """A file that overrides is another set than the file alone."""
    assert read((folder, folder)).hash != read((folder,)).hash


def test_json_round_trip():
    """What is stored and sent to workers gives the same bundle and hash."""
    made = bundle(advance__drink=TEXT + "# \u2764 caf\u00e9\n")
    again = Bundle.from_json(made.to_json())
    assert again == made
    assert again.hash == made.hash


def test_missing_folder(tmp_path):
    """Each folder that is not there is named."""
    found = complaint(tmp_path / "one", tmp_path / "two")
    assert [mistake.file for mistake in found] == [str(tmp_path / "one"), str(tmp_path / "two")]


def test_empty_folder(tmp_path):
    """A folder without rules is a mistake, not an empty rule set that passes everything."""
    assert "no rule files" in complaint(tmp_path)[0].what


def test_too_large(folder):
    """A file past the bound is refused before it is read."""
    (folder / "advance" / "big.yaml").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    assert "larger than" in complaint(folder)[0].what


def test_too_many(folder):
    """So are too many files."""
    for number in range(MAX_FILES):
        (folder / "advance" / f"x{number}.yaml").touch()
    assert any("too many" in mistake.what for mistake in complaint(folder))


def test_link_out_of_the_folder(folder, tmp_path):
    """A link out of the folder is refused: who may write there is somebody else."""
    outside = tmp_path / "outside.yaml"
    outside.write_text(TEXT, encoding="utf-8")
    (folder / "advance" / "link.yaml").symlink_to(outside)
    assert "leads out" in complaint(folder)[0].what


def test_not_utf8(folder):
    """A file in another encoding is refused with the place of the first wrong octet."""
    (folder / "advance" / "latin.yaml").write_bytes(b"a: caf\xe9\n")
    assert "octet 6" in complaint(folder)[0].what


def test_wrong_suffix(folder):
    """.yml would be forgotten silently; it is named instead."""
    (folder / "advance" / "x.yml").write_text(TEXT, encoding="utf-8")
    assert "ends in .yml" in complaint(folder)[0].what


def test_byte_order_mark(folder):
    """An editor's byte order mark is not part of the text."""
    (folder / "advance" / "drink.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert read((folder,)).files[0].text == TEXT


def test_folder_called_like_a_file(folder):
    """Something that is no plain file is named, not fallen over."""
    (folder / "advance" / "dir.yaml").mkdir()
    assert "cannot be read" in complaint(folder)[0].what


def test_pipe_is_not_waited_for(folder):
    """A named pipe in the folder is refused: reading it would wait for ever."""
    os.mkfifo(folder / "advance" / "pipe.yaml")
    assert "cannot be read" in complaint(folder)[0].what


def test_link_to_itself(folder):
    """A link that leads in a circle is named, not fallen over."""
    loop = folder / "advance" / "loop.yaml"
    loop.symlink_to(loop)
    assert "cannot be read" in complaint(folder)[0].what

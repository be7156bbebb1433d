"""The page for rule authors: the rule that it works through is a rule, and the files that it names exist."""

import re

from judging import RULES

from gateway import inspection

PAGE = (RULES / "README.md").read_text("utf-8")


def test_the_worked_rule_is_clean(tmp_path):
    """Who copies the worked rule into a folder of the force's own gets no mistake, examples included."""
    rule = re.search(r"```yaml\n(id: off-duty-contact\.alarm-test\n.*?)```", PAGE, re.DOTALL)
    assert rule is not None
    place = tmp_path / "off-duty-contact" / "alarm-test.yaml"
    place.parent.mkdir()
    place.write_text(rule.group(1))
    mistakes = [str(each) for each in inspection.check(inspection.read((RULES, tmp_path)))]
    assert [each for each in mistakes if "alarm-test" in each] == []


def test_the_lists_that_the_page_names_exist():
    """A list named on the page as something to join is in lists/."""
    for name in ("invitations", "with-me", "leisure", "third-party", "force-numbers", "work-channels"):
        assert f"`{name}`" in PAGE or f"lists/{name}.yaml" in PAGE
        assert (RULES / "lists" / f"{name}.yaml").is_file()


def test_the_page_leads_on():
    """Every document that the page links to is there."""
    for target in re.findall(r"\]\((\.\./docs/[^)]+)\)", PAGE):
        assert (RULES / target).is_file(), target

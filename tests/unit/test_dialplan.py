"""The dialplan files are what FusionPBX's importer takes: one extension each, well-formed."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

FILES = sorted((Path(__file__).parents[2] / "dialplan_xml").glob("*.xml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_one_extension_whose_socket_is_not_its_last_action(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    assert root.tag == "extension"
    actions = [action.get("application") for action in root.iter("action")]
    assert "socket" in actions
    assert actions.index("socket") < len(actions) - 1, "a call handed back would be hung up"
    sockets = [a.get("data", "") for a in root.iter("action") if a.get("application") == "socket"]
    assert all(data.endswith("async full") for data in sockets)

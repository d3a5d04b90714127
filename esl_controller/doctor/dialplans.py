"""FusionPBX's dialplans that take a number before ours does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from esl_controller.doctor.finding import Finding, failed, note, ok, warning

APP_UUID = "6f3a1f0e-2b57-4c1c-9a0e-7d0c2b9f5e90"
"""Of dialplan_xml/900_voice_ai_realtime.xml."""
_CHECK = "dialplan order"


def judge(rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """`rows`: a number of ours with one dialplan that stands before ours, or with none."""
    if not rows:
        advice = "run `esl-controller setup`, or import dialplan_xml/900_voice_ai_realtime.xml"
        yield note(_CHECK, "no number is answered by our dialplan", advice)
        return
    if any(row["our_enabled"] != "true" for row in rows):
        yield failed(_CHECK, "voice_ai_realtime is off", "enable it in Dialplan Manager")
        return
    caught = {
        (row["extension"], row["domain_name"]): (row["dialplan_name"], row["dialplan_order"])
        for row in rows
        if row["dialplan_xml"] and takes(row["dialplan_xml"], row["extension"])
    }
    for (number, domain), (name, order) in sorted(caught.items())[:5]:
        detail = f"{number} at {domain} goes to {name} ({order}) first"
        advice = "give voice_ai_realtime a lower order in Dialplan Manager, or that one a higher"
        yield warning(_CHECK, detail, advice)
    if not caught:
        numbers = len({(row["extension"], row["domain_name"]) for row in rows})
        yield ok(_CHECK, f"nothing takes our {numbers} numbers before us")


def takes(xml: str, number: str) -> bool:
    """Whether an extension of the dialplan has no condition but on the number, which fits."""
    if "<!" in xml or len(xml) > 200_000:
        return False
    try:
        conditions = list(ElementTree.fromstring(xml).iter("condition"))
    except ElementTree.ParseError:
        return False
    return bool(conditions) and all(_fits(one, number) for one in conditions)


def _fits(condition: ElementTree.Element, number: str) -> bool:
    pattern = condition.get("expression", "")
    if condition.get("field") not in {"destination_number", "${destination_number}"}:
        return False
    try:
        return "${" not in pattern and re.search(pattern, number) is not None
    except re.error:
        return False

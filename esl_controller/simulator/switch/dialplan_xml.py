"""A dialplan file as FreeSWITCH reads it (mod_dialplan_xml.c, parse_exten): conditions are looked
at once, when the call is routed; actions are expanded later, when each is run. Actions that are
`inline` run meanwhile, and what they set counts for the conditions after them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from esl_controller.simulator.switch.action import Action
from esl_controller.simulator.switch.expansion import Api, expand

_REFERENCE = re.compile(r"\$(\d)(?!\d)")


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What conditions can ask about a call."""

    fields: Mapping[str, str]
    """Fields of the caller profile, `destination_number` among them."""
    variables: Mapping[str, str]
    api: Api
    inline: Callable[[Action], object] = lambda _: None
    """Runs an inline action, at once."""

    def expand(self, text: str) -> str:
        """`text` with the call's variables and fields put in."""
        return expand(text, lambda name: self.variables.get(name, self.fields.get(name)), self.api)

    def field(self, name: str) -> str:
        """The data a condition looks at."""
        return self.expand(name) if "$" in name else self.fields.get(name, "")


def actions_of(extensions: Sequence[Element], call: CallFacts) -> list[Action]:
    """The actions of the first extension that takes the call; further ones with `continue`."""
    actions: list[Action] = []
    for extension in extensions:
        more, matched = _actions_of_one(extension, call)
        actions += more
        if matched and extension.get("continue") != "true":
            break
    return actions


def _actions_of_one(extension: Element, call: CallFacts) -> tuple[list[Action], bool]:
    actions: list[Action] = []
    passed = False
    for condition in extension.iter("condition"):
        field, expression = condition.get("field"), condition.get("expression", "")
        found = None if field is None else re.search(expression, call.field(field), re.ASCII)
        passed = field is None or found is not None
        for action in condition.iter("action" if passed else "anti-action"):
            data = action.get("data", "")
            if found is not None and "(" in expression:
                data = _with_references(data, found)
            made = Action(action.get("application", ""), data)
            if action.get("inline") == "true":
                call.inline(made)
            else:
                actions.append(made)
        if condition.get("break", "on-false") == ("on-true" if passed else "on-false"):
            break
    return actions, bool(actions)


def _with_references(data: str, found: re.Match[str]) -> str:
    """`$1` and so on: what the brackets of the condition's own expression found."""
    return _REFERENCE.sub(lambda reference: found[int(reference[1])] or "", data)

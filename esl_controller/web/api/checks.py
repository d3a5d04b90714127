"""Handler: where would a call to a number go now, and why?"""

from __future__ import annotations

from esl_controller.routes import verdict as route_check
from esl_controller.routes.verdict import Verdict
from esl_controller.web.api.catalogue import budget_view
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import ExtensionCheck
from esl_controller.web.words.told import told


def check_extension(resources: Resources, request: Request) -> ExtensionCheck:
    """Read the settings afresh, and judge as the next call will be judged."""
    extension = request.path["extension"]
    verdict = judge(resources, request.domain_uuid, extension)
    return ExtensionCheck(
        extension=extension,
        outcome=verdict.outcome.value,  # type: ignore[arg-type]  # those `judge` can reach
        destination=verdict.destination,
        why=told(verdict.why, request.language),
        secretary=verdict.secretary,
        providers=verdict.providers,
        budget=None if verdict.budget is None else budget_view(verdict.budget),
        problems=[told(one, request.language) for one in verdict.problems],
        warnings=[told(one, request.language) for one in verdict.warnings],
    )


def judge(resources: Resources, domain_uuid: str, extension: str) -> Verdict:
    """What a call to `extension` would meet. Raises DatabaseError."""
    with resources.gates.through(Gate.READ):
        return route_check.judge(resources.source, resources.admission, domain_uuid, extension)

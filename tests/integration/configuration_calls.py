"""Functions that write configuration or count, called for a domain with another's keys."""

from __future__ import annotations

from collections.abc import Callable

from esl_controller.database.repository import configuration, pages, places
from esl_controller.database.repository.pages import Wanted

_PROVIDER = {"realtime_provider": "openai", "provider_label": "new"}

CONFIGURATION: dict[str, Callable] = {
    "pages.count_page": lambda c, d, o: pages.count_page(
        c, d, Wanted(caller_suffix="99", text="a", failed=True)
    ),
    "places.list_places": lambda c, d, o: places.list_places(c, d),
    "places.find_availability": lambda c, d, o: places.find_availability(c, d, "201"),
    "places.count_outside": lambda c, d, o: places.count_outside(c, d, 0),
    "configuration.list_rows": lambda c, d, o: configuration.list_rows(
        c, d, configuration.SECRETARIES
    ),
    "configuration.find_row": lambda c, d, o: configuration.find_row(
        c, d, configuration.SECRETARIES, o.secretary_realtime_uuid
    ),
    "configuration.insert_row": lambda c, d, o: configuration.insert_row(
        c, d, configuration.PROVIDERS, _PROVIDER
    ),
    "configuration.update_row": lambda c, d, o: configuration.update_row(
        c, d, configuration.PROVIDERS, o.voice_realtime_provider_uuid, _PROVIDER
    ),
    "configuration.delete_row": lambda c, d, o: configuration.delete_row(
        c, d, configuration.SECRETARIES, o.secretary_realtime_uuid
    ),
}

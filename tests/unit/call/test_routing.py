import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.esl.dialable import NotDialable, require_dialable
from esl_controller.routes.routing import CallIdentity, InvalidCall, parse_identity

GOOD = {
    "variable_domain_uuid": "11111111-1111-4111-8111-111111111111",
    "Unique-ID": "C60E8D63-f2fa-4e65-92bd-657b2f9acacf",
    "Caller-Destination-Number": "8001",
    "Caller-Caller-ID-Number": "5551000",
    "Caller-Caller-ID-Name": "Ana\x00 Lu\u00edsa\r\n",
}


def test_identity_is_normalised_and_printable() -> None:
    assert parse_identity(GOOD.get) == CallIdentity(
        domain_uuid="11111111-1111-4111-8111-111111111111",
        call_uuid="c60e8d63-f2fa-4e65-92bd-657b2f9acacf",
        extension="8001",
        caller_id_number="5551000",
        caller_id_name="Ana Lu\u00edsa",
    )


def test_the_dialplan_may_name_another_extension() -> None:
    assert parse_identity({**GOOD, "variable_voice_ai_extension": "8007"}.get).extension == "8007"


@pytest.mark.parametrize(
    "missing", ["variable_domain_uuid", "Unique-ID", "Caller-Destination-Number"]
)
def test_what_is_missing_is_named(missing: str) -> None:
    headers = {k: v for k, v in GOOD.items() if k != missing}
    with pytest.raises(InvalidCall):
        parse_identity(headers.get)


@given(st.dictionaries(st.sampled_from([*GOOD, "variable_voice_ai_extension"]), st.text()))
def test_hostile_headers_give_an_identity_or_one_error(headers: dict[str, str]) -> None:
    try:
        identity = parse_identity(headers.get)
    except InvalidCall:
        return
    assert identity.caller_id_name.isprintable()
    assert " " not in identity.extension


def test_on_a_leg_freeswitch_dialled_the_callee_talks_to_us() -> None:
    dialled = {
        **GOOD,
        "Call-Direction": "outbound",
        "Caller-Callee-ID-Number": "5552000",
        "Caller-Callee-ID-Name": "Bruno",
    }
    identity = parse_identity(dialled.get)
    assert (identity.caller_id_number, identity.caller_id_name) == ("5552000", "Bruno")
    unnamed = {**GOOD, "Call-Direction": "outbound"}
    assert parse_identity(unnamed.get).caller_id_number == "5551000"


@pytest.mark.parametrize("number", ["-bleg", "-both", "", "1 2", "a" * 33, "1\n2", "${x}"])
def test_what_settings_refuse_and_what_is_never_dialled_is_the_same(number: str) -> None:
    with pytest.raises(NotDialable):
        require_dialable(number, "example.com")
    with pytest.raises(InvalidCall):
        parse_identity({**GOOD, "Caller-Destination-Number": number}.get)

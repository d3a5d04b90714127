import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.routes.identity import CallIdentity, InvalidCall, parse_identity

GOOD = {
    "variable_domain_uuid": "11111111-1111-4111-8111-111111111111",
    "Unique-ID": "C60E8D63-f2fa-4e65-92bd-657b2f9acacf",
    "Caller-Destination-Number": "8001",
    "Caller-Caller-ID-Number": "5551000",
    "Caller-Caller-ID-Name": "Ana\x00 Lu\u00edsa\r\n",
}
DOMAIN = GOOD["variable_domain_uuid"]


def nobody(_name: str) -> None:
    """No domain has any name."""


def test_identity_is_normalised_and_printable() -> None:
    assert parse_identity(GOOD.get, nobody) == CallIdentity(
        domain_uuid="11111111-1111-4111-8111-111111111111",
        call_uuid="c60e8d63-f2fa-4e65-92bd-657b2f9acacf",
        extension="8001",
        caller_id_number="5551000",
        caller_id_name="Ana Lu\u00edsa",
    )


def test_the_dialplan_may_name_another_extension() -> None:
    headers = {**GOOD, "variable_voice_ai_extension": "8007"}
    assert parse_identity(headers.get, nobody).extension == "8007"


@pytest.mark.parametrize(
    "missing", ["variable_domain_uuid", "Unique-ID", "Caller-Destination-Number"]
)
def test_what_is_missing_is_named(missing: str) -> None:
    headers = {k: v for k, v in GOOD.items() if k != missing}
    with pytest.raises(InvalidCall):
        parse_identity(headers.get, nobody)


@pytest.mark.parametrize(
    "named",
    [
        {"variable_domain_name": "pbx.example"},
        {"Caller-Context": "pbx.example"},
        {"variable_domain_uuid": "", "variable_domain_name": "pbx.example"},
        {"variable_domain_name": "public", "Caller-Context": "pbx.example"},
        {"variable_domain_name": "no name", "Caller-Context": "pbx.example"},
        {"variable_domain_name": "pbx.example.", "Caller-Context": "public"},
        {"variable_domain_name": "pbx.example:5060"},
        {"variable_domain_name": " pbx.example "},
    ],
)
def test_a_tenant_may_be_named_instead(named: dict[str, str]) -> None:
    headers = {k: v for k, v in GOOD.items() if k != "variable_domain_uuid"} | named
    identity = parse_identity(headers.get, {"pbx.example": DOMAIN}.get)
    assert identity.domain_uuid == DOMAIN


def test_a_domain_may_have_letters_of_any_language() -> None:
    headers = {k: v for k, v in GOOD.items() if k != "variable_domain_uuid"}
    headers["variable_domain_name"] = "bücher.example"
    assert parse_identity(headers.get, {"bücher.example": DOMAIN}.get).domain_uuid == DOMAIN


def test_a_domain_uuid_is_believed_and_no_name_asked_for() -> None:
    headers = GOOD | {"variable_domain_name": "other.example"}
    assert parse_identity(headers.get, {"other.example": "x"}.get).domain_uuid == DOMAIN
    with pytest.raises(InvalidCall, match="not a UUID"):
        wrong = headers | {"variable_domain_uuid": "x"}
        parse_identity(wrong.get, {"other.example": DOMAIN}.get)


def test_a_name_nobody_has_is_told() -> None:
    headers = {k: v for k, v in GOOD.items() if k != "variable_domain_uuid"}
    headers |= {"variable_domain_name": "nobody.example", "Caller-Context": "public"}
    with pytest.raises(InvalidCall, match=r"no domain is named nobody\.example or public"):
        parse_identity(headers.get, nobody)


@given(st.dictionaries(st.sampled_from([*GOOD, "variable_voice_ai_extension"]), st.text()))
def test_hostile_headers_give_an_identity_or_one_error(headers: dict[str, str]) -> None:
    try:
        identity = parse_identity(headers.get, nobody)
    except InvalidCall:
        return
    assert identity.caller_id_name.isprintable()
    assert " " not in identity.extension

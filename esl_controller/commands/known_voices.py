"""Voices of Piper's that are published, and the checksums they are published with.

From the list `voices.json` of github.com/rhasspy/piper, as `wyoming-piper` 2.5.2 has it. Its
checksums are MD5: they catch a broken file, and a mistake of a mirror. Whoever does not trust
it fetches by an address and a SHA-256 of his own.
"""

from __future__ import annotations

from dataclasses import dataclass

BASE_URL = "https://huggingface.co/rhasspy/piper-voices/resolve/main"
_LOW_HZ, _HZ = 16000, 22050


@dataclass(frozen=True, slots=True)
class Known:
    """One voice: a model, and its configuration beside it."""

    name: str
    """`<language>_<REGION>-<speaker>-<quality>`."""
    size_bytes: int
    model_md5: str
    config_md5: str

    @property
    def language(self) -> str:
        """BCP 47, such as pt-BR."""
        return self.name.partition("-")[0].replace("_", "-")

    @property
    def rate_hz(self) -> int:
        """Of its samples; the qualities low and x_low are at 16 kHz."""
        return _LOW_HZ if self.name.endswith("low") else _HZ

    @property
    def path(self) -> str:
        """Of the model, below the base address."""
        code, speaker, quality = self.name.rsplit("-", 2)
        return f"{code.partition('_')[0]}/{code}/{speaker}/{quality}/{self.name}.onnx"


VOICES = (
    Known(
        "pt_BR-faber-medium",
        63201294,
        "e0724a2f07965f6523d2a1e96b488a4c",
        "a1258e1e113c47d9a1486a9bef1daab4",
    ),
    Known(
        "pt_BR-cadu-medium",
        62950044,
        "6f3a6e23694c9088e3696a15191af2cc",
        "3d35f13df6a2f7dc9b7b7924befbe7bb",
    ),
    Known(
        "pt_BR-jeff-medium",
        62950044,
        "dfb93e9da48638f9efa6b63fdb0b7030",
        "e7d673d946db4d9e9d8644babf347ea9",
    ),
    Known(
        "pt_BR-edresson-low",
        63104526,
        "53e365c040dd07890fe1855b64c7cc58",
        "806966b457e27c01d9b8eed2bc76a185",
    ),
    Known(
        "en_US-lessac-medium",
        63201294,
        "2fc642b535197b6305c7c8f92dc8b24f",
        "c1f2b7bddefe113f3255ff9ef234cfd3",
    ),
    Known(
        "en_US-amy-medium",
        63201294,
        "778d28aeb95fcdf8a882344d9df142fc",
        "7f37dadb26340c90ebc8088e0b252310",
    ),
    Known(
        "en_US-ryan-medium",
        63201294,
        "8f06d3aff8ded5a7f13f907e6bec32ac",
        "f173a2b5202b3e4128ccc3ed8195306c",
    ),
    Known(
        "en_US-joe-medium",
        63201294,
        "74fd6a4dc39e0aa9dce145d7f5acd4f6",
        "811036b9c1451545f9495fdc1baa0754",
    ),
    Known(
        "en_GB-alba-medium",
        63201294,
        "c07f313752bb3aba8061041666251654",
        "dbb6f2ede31082710665221417906e13",
    ),
    Known(
        "en_GB-alan-medium",
        63201294,
        "8f6b35eeb8ef6269021c6cb6d2414c9b",
        "b11d9afd0a8f5372c42a52fbd6e021d4",
    ),
    Known(
        "es_ES-davefx-medium",
        63201294,
        "dc515cd4ecc5f6f72fe14a941188fc9c",
        "dd157b5eaf6930bf949cf416d9a9307a",
    ),
    Known(
        "es_ES-sharvard-medium",
        76733615,
        "77e6f9c26e92799fb04bb90b46bf1834",
        "e49cab310ce362145f7d94b347c291ff",
    ),
    Known(
        "es_MX-ald-medium",
        63201294,
        "86374058e59b41ac3b7fe4181e1daad6",
        "aedc07cd37e61360144f04aebb05f7dd",
    ),
    Known(
        "es_MX-claude-high",
        63122309,
        "cb1966e0ff20ca3aa010f6c9a0ce296a",
        "36882201922fabb409f18d284af3eddd",
    ),
    Known(
        "es_AR-daniela-high",
        114199011,
        "e373fb657c93877dbc438badeadff4cb",
        "b68d699a1779d98ee94c0cd9a08ba95b",
    ),
    Known(
        "fr_FR-siwis-medium",
        63201294,
        "20e876e8c839e9b11a26085858f2300c",
        "a407e7e6901feb79c2ea2a5466076cce",
    ),
    Known(
        "fr_FR-tom-medium",
        63511038,
        "5b460c2394a871e675f5c798af149412",
        "964d58602df7adf76c2401b070f68ea2",
    ),
    Known(
        "de_DE-thorsten-medium",
        63201294,
        "a129b00fb3078df43c96bab6c94535c0",
        "843a7bd7272724f750534dd5a26d1aad",
    ),
    Known(
        "it_IT-paola-medium",
        63511038,
        "3a44e73b12ca5d0c21a72e388b5847c8",
        "cd471a3757c88a7a4baee6207248b5d5",
    ),
    Known(
        "it_IT-riccardo-x_low",
        28130791,
        "2c564b67f6bfaf3ad02d28ab528929b8",
        "ed24cd550b79acbdc337e519849e9636",
    ),
    Known(
        "nl_NL-mls-medium",
        76584246,
        "f1d4b1452ccfdac24be72085b2b6b55c",
        "1915807d7cb85274ba957846370fff39",
    ),
    Known(
        "nl_BE-nathalie-medium",
        63201294,
        "ab0c38b5f66764b59ad9e3e98b1c2172",
        "13c6e6c9511447e1906c25748a93f0bd",
    ),
    Known(
        "pl_PL-gosia-medium",
        63201294,
        "ecf817530e575025166e454adde1f382",
        "e57055b9eec14e570617af2b716bd5c3",
    ),
    Known(
        "ru_RU-irina-medium",
        63201294,
        "21fbe77fdc68bdc35d7adb6bf4f52199",
        "e239bb7f22d5de4a44ec6b1cb6c06bb5",
    ),
    Known(
        "uk_UA-ukrainian_tts-medium",
        76735663,
        "3366c3d4f31cb77966fb14d042956b4f",
        "3bf9b2b1fcc8e599947cdda4af130498",
    ),
    Known(
        "tr_TR-dfki-medium",
        63201294,
        "f51287b350a042dd8d67b2b215145e5a",
        "683c97d5bf7588abb4d7b9ff556c9466",
    ),
    Known(
        "zh_CN-huayan-medium",
        63201294,
        "40cdb7930ff91b81574d5f0489e076ea",
        "1fda3ec1d0d3a5a74064397ea8fe0af0",
    ),
)
"""The first of a language is its default."""


def find(name: str) -> Known | None:
    """A voice by its name."""
    return next((voice for voice in VOICES if voice.name == name), None)


def default_for(language: str) -> Known | None:
    """The first voice of a language, of its region where there is one."""
    wanted = language.replace("_", "-").lower()
    for length in (len(wanted), len(wanted.partition("-")[0])):
        for voice in VOICES:
            if voice.language.lower()[:length] == wanted[:length]:
                return voice
    return None

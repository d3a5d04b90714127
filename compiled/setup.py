"""Build script: one extension for every Python from 3.11 on. Metadata is in setup.cfg."""

from setuptools import Extension, setup

VERSION = "1.0.0"
SOURCES = (
    "module",
    "messages",
    "resampler",
    "voicing",
    "voice_activity",
    "echo_levels",
    "mulaw",
    "kept_audio",
    "ring_buffer",
    "uplink_codec",
)

setup(
    version=VERSION,
    ext_modules=[
        Extension(
            "voice_ai_switch_core",
            [f"src/{name}.c" for name in SOURCES],
            depends=["src/core.h", "src/taps.h"],
            define_macros=[
                ("Py_LIMITED_API", "0x030b0000"),
                ("CORE_VERSION", f'"{VERSION}"'),
            ],
            extra_compile_args=[
                "-std=c11",
                "-O3",
                "-Wall",
                "-Wextra",
                "-Wno-psabi",
                "-fno-math-errno",
                "-ffp-contract=fast",
                "-g0",
            ],
            py_limited_api=True,
        )
    ],
)

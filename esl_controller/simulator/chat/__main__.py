"""`python -m esl_controller.simulator.chat`: the emulated chat model as a process of its own.

Prints one JSON line with its base URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import click

from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator
from esl_controller.simulator.service.process import serve
from esl_controller.simulator.service.script import SCRIPTS


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--script", type=click.Choice(sorted(SCRIPTS)), default="demo", show_default=True)
@click.option("--think-ms", default=200, show_default=True)
@click.option("--word-ms", default=20, show_default=True, help="From one word to the next.")
@click.option("--fragments", is_flag=True, help="Calls come in pieces, as OpenAI sends them.")
def main(host: str, port: int, script: str, think_ms: int, word_ms: int, fragments: bool) -> None:
    """Serve a scripted dialogue behind an OpenAI-compatible chat endpoint on loopback."""
    config = ChatConfig(
        host=host,
        port=port,
        script=SCRIPTS[script],
        think_s=think_ms / 1000,
        word_s=word_ms / 1000,
        fragments=fragments,
    )
    serve(ChatEmulator(config), None)


if __name__ == "__main__":
    main()

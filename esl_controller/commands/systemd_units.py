"""systemd's units of a worker host. deploy/systemd holds them as they are for the usual places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STATE = Path("/var/lib")
_HOMES = ("/home/", "/root/", "/run/user/")

TARGET = """\
# All workers of this host: systemctl stop voice-ai.target drains them together, and returns when
# the last call has ended (with --no-block at once). What is After= another is stopped before it:
# the workers, then the speech process, then this.

[Unit]
Description=Voice AI workers

[Install]
WantedBy=multi-user.target
"""
WORKER = """\
# One worker a core: systemctl enable --now voice-ai.target voice-ai@0 voice-ai@1
# The number behind the @ is the worker's index. How many there are stands once, in
# {settings}: [worker] count = 2
#
# After an upgrade: esl-controller restart (one worker after the other, each when the one before
# it is ready again).

[Unit]
Description=Voice AI worker %i
After=network-online.target postgresql.service voice-ai.target voice-ai-speech.service
Wants=network-online.target
PartOf=voice-ai.target
# Tried for ever: callers need it more than the log needs rest.
StartLimitIntervalSec=0

[Service]
# The worker says when it takes calls, and that it lives once a second; one that hangs is killed
# after WatchdogSec and started again. FreeSWITCH would wait for it without limit.
Type=notify
NotifyAccess=main
WatchdogSec=10
WatchdogSignal=SIGKILL
Restart=always
RestartSec=1
TimeoutStartSec=120

User={user}
{state}
LogsDirectory=voice-ai
LogsDirectoryMode=0750
WorkingDirectory={state_dir}
Environment=VOICE_AI_CONFIG={settings}
Environment=VOICE_AI_WORKER_INDEX=%i
Environment=VOICE_AI_LOG_FORMAT=json
ExecStart={executable} serve
# Reads prices, CA file and settings of the tenants again.
ExecReload=/bin/kill -HUP $MAINPID

# SIGTERM drains: no new calls, running ones may end by themselves. Keep this above
# VOICE_AI_WORKER_DRAIN_DEADLINE_S (300) plus 30 s for last words and the journal.
TimeoutStopSec=330
KillMode=mixed

# Six descriptors a call: Event Socket, stream, provider, datagrams, a function's connection,
# a spare.
LimitNOFILE=4096
# Recordings that are kept no longer are deleted there (VOICE_AI_FREESWITCH_RECORDINGS_DIR).
ReadWritePaths=-{recordings_dir}
{hardening}
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6

[Install]
WantedBy=multi-user.target voice-ai.target
"""
SPEECH = """\
# Voices and hearing on this host, for all workers: systemctl enable --now voice-ai-speech
# Only providers of kind `custom` (the pipeline) need it. Without this unit a worker starts one as
# its child; the unit waits until that one ends, and takes its place.

[Unit]
Description=Voice AI speech process
After=voice-ai.target
PartOf=voice-ai.target
StartLimitIntervalSec=0

[Service]
Restart=always
RestartSec=1
User={user}
{state}
WorkingDirectory={state_dir}
Environment=VOICE_AI_CONFIG={settings}
Environment=VOICE_AI_LOG_FORMAT=json
ExecStart={executable} speech
{hardening}
PrivateNetwork=true
RestrictAddressFamilies=AF_UNIX

[Install]
WantedBy=multi-user.target voice-ai.target
"""
HARDENING = """\
UMask=0027
CapabilityBoundingSet=
NoNewPrivileges=true
ProtectSystem=strict
{homes}
PrivateTmp=true
PrivateDevices=true
ProtectKernelTunables=true
ProtectKernelModules=true
ProtectKernelLogs=true
ProtectControlGroups=true
ProtectClock=true
ProtectHostname=true
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
LockPersonality=true
SystemCallArchitectures=native"""


@dataclass(frozen=True, slots=True)
class Host:
    """Where everything is. As it stands: what deploy/service makes."""

    settings_file: Path = Path("/etc/voice-ai/voice-ai.toml")
    state_dir: Path = Path("/var/lib/voice-ai")
    executable: Path = Path("/opt/voice-ai/bin/esl-controller")
    recordings_dir: Path = Path("/var/lib/freeswitch/recordings")
    user: str = "voice-ai"


def systemd_units(host: Host) -> Mapping[str, str]:
    """Name and text of each."""
    ours = (host.settings_file, host.state_dir, host.executable)
    at_home = any(str(path).startswith(_HOMES) for path in ours)
    # Who keeps the program at home may read what is there.
    homes = "ProtectHome=read-only" if at_home else "ProtectHome=true"
    values = {
        "settings": host.settings_file,
        "state_dir": host.state_dir,
        "executable": host.executable,
        "recordings_dir": host.recordings_dir,
        "user": host.user,
        "state": _state(host.state_dir),
        "hardening": HARDENING.format(homes=homes),
    }
    return {
        "voice-ai@.service": WORKER.format(**values),
        "voice-ai-speech.service": SPEECH.format(**values),
        "voice-ai.target": TARGET,
    }


def _state(directory: Path) -> str:
    """systemd makes what is below /var/lib; what is elsewhere is there."""
    if directory.is_relative_to(_STATE):
        return f"StateDirectory={directory.relative_to(_STATE)}\nStateDirectoryMode=0750"
    return f"ReadWritePaths={directory}"

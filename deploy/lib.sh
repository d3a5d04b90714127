# What the scripts of this folder share; sourced by them. They may be run again without harm.
# shellcheck shell=bash
set -euo pipefail

DRY_RUN=${DRY_RUN:-no}

# What is about to be done; with --dry-run all that happens.
say() { printf '%s\n' "$*"; }
fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Run a command, or only show it.
run() {
	if [ "$DRY_RUN" = yes ]; then
		printf 'would run:'
		printf ' %q' "$@"
		printf '\n'
	else
		"$@"
	fi
}

# write MODE OWNER FILE: the standard input becomes a file. What is there is kept when it is the
# same, and kept as FILE.before when it is not.
write() {
	local mode=$1 owner=$2 file=$3 new
	new=$(mktemp)
	cat >"$new"
	if [ -e "$file" ] && cmp --silent "$new" "$file"; then
		say "kept     $file"
	elif [ "$DRY_RUN" = yes ]; then
		say "would write $file (mode $mode, $owner)"
	else
		if [ -e "$file" ]; then cp --preserve=all "$file" "$file.before"; fi
		install -D --mode="$mode" --owner="${owner%:*}" --group="${owner#*:}" "$new" "$file"
		say "written  $file"
	fi
	rm -f "$new"
}

# link_to FOLDER LINK: in one step. A worker that is started just then finds the old or the new one.
link_to() {
	run ln --symbolic --force --no-dereference "$1" "$2.new"
	run mv --no-target-directory "$2.new" "$2"
}

# packages NAME…: Debian packages that are missing.
packages() {
	local missing=() name
	for name in "$@"; do
		dpkg-query --show --showformat='${db:Status-Status}' "$name" 2>/dev/null |
			grep --quiet '^installed$' || missing+=("$name")
	done
	if [ ${#missing[@]} -gt 0 ]; then
		command -v apt-get >/dev/null || fail "install ${missing[*]} first"
		run apt-get update --quiet=2
		run env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"
	fi
}

need_root() {
	if [ "$DRY_RUN" != yes ] && [ "$(id --user)" -ne 0 ]; then fail "must be run as root"; fi
}

# What --help prints: the comment at the head of a script.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# value OPTION VALUE…: the value of an option that needs one.
value() {
	if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value"; fi
	printf '%s' "$2"
}

# setting VARIABLE DEFAULT: as the workers of this host have it, after `read_settings`; the default where
# there are none.
read_settings() {
	local settings=${VOICE_AI_CONFIG:-/etc/voice-ai/voice-ai.toml}
	SHOWN='{}'
	if command -v esl-controller >/dev/null && [ -r "$settings" ]; then
		SHOWN=$(VOICE_AI_CONFIG=$settings esl-controller config show --json) || fail "the settings in $settings cannot be read"
	fi
}
setting() {
	python3 -c 'import json, sys; print(json.loads(sys.argv[1]).get(sys.argv[2], sys.argv[3]))' "$SHOWN" "$1" "$2"
}

# as_owner COMMAND…: with the connection of who owns the tables, where deploy/database has put it aside.
OWNER_DSN=/etc/voice-ai/owner.dsn
as_owner() {
	local owner=()
	if [ -e "$OWNER_DSN" ]; then owner=("VOICE_AI_DATABASE_DSN=file:$OWNER_DSN"); fi
	run env VOICE_AI_CONFIG="${VOICE_AI_CONFIG:-/etc/voice-ai/voice-ai.toml}" "${owner[@]}" "$@"
}

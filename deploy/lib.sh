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

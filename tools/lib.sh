# shellcheck shell=bash
# shellcheck disable=SC2034  # some variables are for the callers
# lib.sh -- what tools/demo and tools/test share; sourced, never run
#
# Packages, the build, processes and a private PostgreSQL cluster.  Every
# function ends in silence or in one sentence: say tells, die gives up.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
BUILD=${POSTERN_BUILD:-$ROOT/build}	# configure and make run here
STAGE=$BUILD/stage			# make install puts the result here
read -ra CONFIGURE_FLAGS <<<"${POSTERN_CONFIGURE-}"	# besides --prefix

# An ordinary user of Debian has no sbin in PATH, and web servers live there.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# --- packages -----------------------------------------------------------

# packages GROUP...: the names that tools/packages lists in these groups
packages()
{
	awk -v groups=" $* " '
		/^\[/         { on = index(groups, " " substr($1, 2, length($1) - 2) " ") }
		/^[a-z0-9]/   { if (on) print $1 }' "$ROOT/tools/packages"
}

# missing_packages GROUP...: those that are not installed
missing_packages()
{
	local name

	for name in $(packages "$@"); do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			printf '%s ' "$name"
	done
}

# apt_install PACKAGE...: as root, in a shell of its own (see install_packages)
#
# A Debian server package starts its server, now and at every boot.  We want
# the programs only: no started server, hence no quarrel about port 80, no
# cluster "main", and no trace of how that was prevented.
apt_install()
{
	local policy=/usr/sbin/policy-rc.d
	local cluster_dir=/etc/postgresql-common/createcluster.d
	local cluster=$cluster_dir/postern-install.conf
	local name units servers=

	# made and made_dir outlive this function: the trap needs them.
	umask 022
	made=$cluster
	made_dir=
	[ -d "$cluster_dir" ] || made_dir=$cluster_dir
	trap 'rm -f -- $made; [ -z "$made_dir" ] || rmdir "$made_dir" 2>/dev/null' EXIT
	mkdir -p "$cluster_dir"
	echo 'create_main_cluster = false' >"$cluster"
	if [ ! -e "$policy" ]; then
		made="$made $policy"
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi

	for name in lighttpd nginx fcgiwrap; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			servers="$servers $name"
	done

	export DEBIAN_FRONTEND=noninteractive
	set -- -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
	apt-get install "$@" || {
		# The package lists of a fresh machine are empty or old.
		apt-get update -q -o DPkg::Lock::Timeout=300 &&
		apt-get install "$@"
	} || return

	for name in $servers; do
		[ -e "/etc/init.d/$name" ] || continue
		if command -v systemctl >/dev/null; then
			units=$name.service
			[ ! -e "/lib/systemd/system/$name.socket" ] || units="$units $name.socket"
			# shellcheck disable=SC2086  # one word or two
			systemctl --quiet disable $units
		else
			update-rc.d "$name" disable
		fi || return
	done
}

# install_packages GROUP...: what is missing, by apt-get, as root or by sudo
install_packages()
{
	local missing log sudo=

	command -v dpkg-query >/dev/null ||
		die "this is not a Debian system: install what tools/packages names, then use --no-install"
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
			die "packages are missing; as root: apt-get install $missing"
		sudo=sudo
		sudo -v || die "packages are missing and sudo refuses; as root: apt-get install $missing"
	fi
	say "Installing: $missing"
	log=$(mktemp)
	# shellcheck disable=SC2016,SC2086  # a list of words, expanded by the inner shell
	run_step "$log" $sudo bash -c "$(declare -f apt_install); apt_install \"\$@\"" bash $missing || {
		tail -n 15 "$log" >&2
		rm -f "$log"
		die "apt-get could not install the packages; see its words above"
	}
	rm -f "$log"
}

# need PROGRAM...: that each is there, or one sentence
need()
{
	local name

	for name; do
		command -v "$name" >/dev/null ||
			die "the program $name is missing: start without --no-install, or install what tools/packages names"
	done
}

# --- processes ----------------------------------------------------------

# A process is known by its id and its start time, so that an id which the
# system has given to somebody else meanwhile is never mistaken for ours.
# Each service leads a session: whatever it starts itself is found by that,
# and a Ctrl-C on the terminal reaches only the script that stops them in order.

# process_read PID: sets SESSION and STARTED (clock ticks since boot); 1 when
# there is no such process.  Nothing is forked, so scanning /proc is quick.
process_read()
{
	local line='' fields

	{ IFS= read -r -d '' line <"/proc/$1/stat"; } 2>/dev/null
	# The second field is the name in parentheses and may hold anything; what
	# follows are numbers and one letter.
	# shellcheck disable=SC2206
	fields=(${line##*) })
	[ "${#fields[@]}" -gt 19 ] && [ "${fields[0]}" != Z ] || return 1
	SESSION=${fields[3]}
	STARTED=${fields[19]}
}

# process_lives PID [STARTED]
process_lives()
{
	process_read "$1" && [ "${2-$STARTED}" = "$STARTED" ]
}

# session_read LEADER: sets MEMBERS, the live processes of a session
session_read()
{
	local dir

	MEMBERS=()
	for dir in /proc/[0-9]*; do
		process_read "${dir#/proc/}" && [ "$SESSION" = "$1" ] &&
			MEMBERS+=("${dir#/proc/}")
	done
	[ "${#MEMBERS[@]}" -gt 0 ]
}

# wait_gone SECONDS PID...: until all have ended, 1 when they did not in time
wait_gone()
{
	local ticks=$(($1 * 50)) pid

	shift
	for pid; do
		while process_lives "$pid"; do
			[ "$ticks" -gt 0 ] || return 1
			ticks=$((ticks - 1))
			sleep 0.02
		done
	done
}

# stop_session SIGNAL SECONDS LEADER: ask the leader by SIGNAL; what of the
# session is left then gets TERM (finish the request in hand), at last KILL
stop_session()
{
	local leader=$3

	session_read "$leader" || return 0
	kill -s "$1" "$leader" 2>/dev/null && wait_gone "$2" "$leader"
	session_read "$leader" || return 0
	kill -s TERM "${MEMBERS[@]}" 2>/dev/null
	wait_gone 5 "${MEMBERS[@]}" && return 0
	kill -s KILL "${MEMBERS[@]}" 2>/dev/null
	wait_gone 5 "${MEMBERS[@]}"
}

# run_step LOG COMMAND...: in the foreground of the story, but waited for, so
# that a signal to the script is acted on at once and not after the command
STEP=
run_step()
{
	local log=$1 status

	shift
	"$@" </dev/null >>"$log" 2>&1 &
	STEP=$!
	wait "$STEP"
	status=$?
	STEP=
	return $status
}

# stop_step: the command of run_step that a signal interrupted, if any
stop_step()
{
	[ -n "$STEP" ] || return 0
	kill -s TERM "$STEP" 2>/dev/null
	wait "$STEP" 2>/dev/null
	STEP=
}

# --- build --------------------------------------------------------------

# build: configure, make and make install into build/; only what has changed
build()
{
	local log=$BUILD/log

	mkdir -p "$BUILD" || die "could not create the directory $BUILD"
	# Two demos or tests may start at the same time.
	exec 8>"$BUILD/lock"
	flock 8
	: >"$log"
	build_steps "$log" || {
		tail -n 25 "$log" >&2
		die "the build failed; all its output is in $log"
	}
	exec 8>&-
}

# configure_steps LOG: configure, if it has not been done for these sources
configure_steps()
{
	local log=$1

	if [ ! -x "$ROOT/configure" ] || [ "$ROOT/configure.ac" -nt "$ROOT/configure" ]; then
		say "Preparing the build"
		run_step "$log" autoreconf -i "$ROOT" || return
	fi
	if [ ! -f "$BUILD/config.status" ] || [ "$ROOT/configure" -nt "$BUILD/config.status" ]; then
		say "Configuring"
		run_step "$log" env -C "$BUILD" "$ROOT/configure" --prefix="$STAGE" "${CONFIGURE_FLAGS[@]}" || return
	fi
}

build_steps()
{
	local log=$1

	configure_steps "$log" || return
	say "Building"
	run_step "$log" make -C "$BUILD" -j "$(nproc)" || return
	# install -C leaves a file alone that has not changed.
	run_step "$log" make -C "$BUILD" install INSTALL='/usr/bin/install -C'
}

# --- a private PostgreSQL cluster ---------------------------------------

# PostgreSQL refuses to run as root.  In a user namespace of its own root is
# "nobody" to PostgreSQL, while outside the files stay root's: that works in
# a 0700 directory and needs no other user.  Where namespaces are forbidden
# (some containers) the system user postgres does it.
CLUSTER_AS=()			# prefix of every program of the cluster
NOBODY=(unshare --user --map-user=65534 --map-group=65534 --)

# choose_cluster_user DIR: sets CLUSTER_AS, for a cluster below DIR
choose_cluster_user()
{
	CLUSTER_AS=()
	[ "$(id -u)" = 0 ] || return 0
	if "${NOBODY[@]}" true 2>/dev/null; then
		CLUSTER_AS=("${NOBODY[@]}")
		return 0
	fi
	id postgres >/dev/null 2>&1 ||
		die "PostgreSQL does not run as root, and there is no user postgres: run this as an ordinary user"
	CLUSTER_AS=(setpriv --reuid=postgres --regid=postgres --init-groups --)
	chmod 711 "$1"			# enter, but not look around; what is in it is private
	"${CLUSTER_AS[@]}" test -x "$1" ||
		die "PostgreSQL runs as the user postgres here, who cannot reach $1: choose a directory below /var/lib with --dir"
}

# postgres_bin DATA: the directory with initdb and postgres, of the version
# that made DATA, else the newest
postgres_bin()
{
	local version dir

	if [ -f "$1/PG_VERSION" ]; then
		version=$(<"$1/PG_VERSION")
		for dir in "/usr/lib/postgresql/$version/bin" "$(pg_config --bindir 2>/dev/null)"; do
			[ ! -x "$dir/postgres" ] ||
				case $("$dir/postgres" --version) in
				*" $version".*) echo "$dir"; return ;;
				esac
		done
		return 1
	fi
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -t / -k 5 -rn) "$(pg_config --bindir 2>/dev/null)"; do
		[ ! -x "$dir/initdb" ] || { echo "$dir"; return; }
	done
	return 1
}

# cluster_prepare DATA LOG: makes the cluster if there is none; sets PGBIN
#
# Everybody who can enter the socket's directory (0700, RUN below) may connect
# as any role: "trust".  There is no TCP port.  That is the right strength for
# a demonstration; on a server each endpoint has a role with a password file
# or, better, an operating system user of its own.
cluster_prepare()
{
	local data=$1 log=$2

	PGBIN=$(postgres_bin "$data") ||
		if [ -f "$data/PG_VERSION" ]; then
			die "the data in $data is of PostgreSQL $(<"$data/PG_VERSION"), which is not installed: install it, or start afresh with --reset"
		else
			die "PostgreSQL (initdb) is missing: start without --no-install, or install what tools/packages names"
		fi
	[ ! -f "$data/PG_VERSION" ] || return 0

	# An interrupted initdb must not look like a cluster.
	rm -rf -- "$data" "$data.new"
	mkdir -m 700 "$data.new" || die "could not create the directory $data"
	chown_cluster "$data.new"
	run_step "$log" "${CLUSTER_AS[@]}" "$PGBIN/initdb" -D "$data.new" -U postgres \
		--auth=trust --encoding=UTF8 --locale=C.UTF-8 ||
		die "initdb failed: $(tail -n 1 "$log")"
	mv "$data.new" "$data"
}

# chown_cluster PATH: to the user who runs PostgreSQL, if that is not us
chown_cluster()
{
	case ${CLUSTER_AS[0]-} in
	setpriv) chown postgres:postgres "$1" ;;
	esac
}

# cluster_check_stale DATA: a lock file that an unclean end left behind
#
# PostgreSQL itself removes a lock file whose process is gone.  It does not
# start when the id in it belongs to another process by now, and must not
# when another postmaster is at work on these files.
cluster_check_stale()
{
	local data=$1 pid comm=

	[ -f "$data/postmaster.pid" ] || return 0
	read -r pid <"$data/postmaster.pid"
	case $pid in
	''|*[!0-9]*) pid=0 ;;
	esac
	if [ "$pid" != 0 ] && process_lives "$pid"; then
		{ comm=$(<"/proc/$pid/comm"); } 2>/dev/null
		[ "$comm" != postgres ] ||
		    [ "$(readlink "/proc/$pid/cwd")" != "$(cd "$data" && pwd -P)" ] ||
			die "a PostgreSQL server (process $pid) is already at work in $data: stop it first (kill -INT $pid)"
	fi
	rm -f "$data/postmaster.pid"
}

# cluster_command DATA RUN CONNECTIONS: sets CLUSTER_COMMAND, which runs the server in
# the foreground; fsync and synchronous_commit stay on, as they must anywhere
cluster_command()
{
	CLUSTER_COMMAND=("${CLUSTER_AS[@]}" "$PGBIN/postgres" -D "$1"
	    -c listen_addresses= -c "unix_socket_directories=$2"
	    -c unix_socket_permissions=0700 -c "max_connections=$3"
	    -c TimeZone=UTC -c log_timezone=UTC
	    # A refused row would be quoted in the log, and rows hold hashes.
	    -c log_error_verbosity=terse)
}

# cluster_wait PID RUN: until the server accepts connections, 1 if it ended
cluster_wait()
{
	local tenths=1200		# crash recovery may take a while

	while [ "$tenths" -gt 0 ]; do
		"$PGBIN/pg_isready" -q -h "$2" -U postgres -d postgres && return 0
		process_lives "$1" || return 1
		tenths=$((tenths - 1))
		sleep 0.1
	done
	return 1
}

# The longest path of a Unix socket is 107 bytes; ours end in names like this.
LONGEST_SOCKET=/.s.PGSQL.5432.lock
SOCKET_PATH_BYTES=107

# run_directory DIR: prints DIR/run, or a short directory below TMPDIR when
# that would be too long for a socket or holds a blank (lighttpd's bin-path
# and PostgreSQL's conninfo split there)
run_directory()
{
	local run=$1/run path_bytes

	path_bytes=$(printf %s "$run$LONGEST_SOCKET" | wc -c)
	case $run in
	*[!A-Za-z0-9/._+-]*) path_bytes=$((SOCKET_PATH_BYTES + 1)) ;;
	esac
	if [ "$path_bytes" -le "$SOCKET_PATH_BYTES" ]; then
		rm -rf -- "$run"
		mkdir -m 700 "$run" && printf '%s\n' "$run"
	else
		mktemp -d /tmp/postern.XXXXXX
	fi
}

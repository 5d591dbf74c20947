#!/bin/bash
# peer.sh -- start or stop Postern as a target of the comparison harness
#
# usage: peer.sh start|stop postern
#
# Link or copy this directory there as
# peers/postern.  Needs Postern built (tools/test or make); a copy also needs
# POSTERN_SOURCE, the directory of the sources.  POSTERN_BUILD is where make has run
# (default POSTERN_SOURCE/build).  Behind conf/nginx.conf with two workers, on the
# cluster that all peers share.

# The harness lies two above where this was called, not where a link leads.
# shellcheck source=/dev/null
. "$(cd "$(dirname "$0")/../.." && pwd)/lib.sh"
HERE=$(cd "$(dirname "$(readlink -f "$0")")" && pwd -P)
SOURCE=${POSTERN_SOURCE:-$(cd "$HERE/../.." && pwd)}
BUILT=${POSTERN_BUILD:-$SOURCE/build}
NAME=$2
ENDPOINTS='authorize token introspect userinfo jwks metadata'
case $NAME in
postern) PORT=7861 ;;
*)       die "unknown peer $NAME" ;;
esac
ISSUER=http://localhost:$PORT
WORK=$RUN/$NAME			# configuration, sockets
export POSTERN_CONFIG=$WORK/postern.conf

prepare_database()
{
	"$BENCH_DIR/pg.sh" start
	"$BENCH_DIR/pg.sh" createdb postern
	cat >"$POSTERN_CONFIG" <<-END
	database = host=$PGSOCK port=$PGPORT dbname=postern
	role_prefix = postern_peer_
	templates = $SOURCE/templates
	log = stderr
	END
	chmod 600 "$POSTERN_CONFIG"
	"$BUILT/postern" migrate --sql "$SOURCE/sql" >"$LOG/$NAME-migrate.log" 2>&1 || die "see $LOG/$NAME-migrate.log"
	"$BUILT/postern" key add ES256 >>"$LOG/$NAME-migrate.log" 2>&1 || die "see $LOG/$NAME-migrate.log"
	psql -qXAt -v ON_ERROR_STOP=1 -v "issuer=$ISSUER" -d postern -f "$HERE/peer.sql" >"$RUN/$NAME.sessions" || die "rows"
}

# Four processes where there are commits to wait for, two elsewhere.
start_endpoints()
{
	local endpoint workers

	for endpoint in $ENDPOINTS; do
		case $endpoint in
		authorize | token) workers=4 ;;
		*) workers=2 ;;
		esac
		rm -f "$WORK/$endpoint.sock"
		daemon "$NAME-$endpoint" spawn-fcgi -n -s "$WORK/$endpoint.sock" -M 0600 -b 1024 -- "$BUILT/$endpoint" --workers $workers
	done
}

start_nginx()
{
	local directives='daemon off; worker_processes 2;'

	[ "$(id -u)" != 0 ] || directives+=' user root;'
	sed -e "s|@PORT@|$PORT|g" -e "s|@RUNDIR@|$WORK|g" -e "s|@LOGDIR@|$LOG|g" -e "s|@TMPDIR@|$WORK/tmp|g" \
		-e "s|@ISSUER@|$ISSUER|g" -e 's|@ISSUER_HOST@|localhost|g' -e 's|@ISSUER_PATH@||g' \
		-e 's|@DRIVE_HOST@|drive.localhost|g' -e "s|@DRIVE@|$ISSUER/api|g" -e "s|@DRIVE_DIR@|$WORK|g" \
		-e 's|@NOTEAPP_HOST@|noteapp.localhost|g' -e "s|@NOTEAPP_DIR@|$WORK|g" "$SOURCE/conf/nginx.conf" >"$WORK/nginx.conf"
	daemon "$NAME-nginx" nginx -e "$LOG/$NAME-nginx.log" -g "$directives" -c "$WORK/nginx.conf"
}

start()
{
	local PIDS

	[ -x "$BUILT/token" ] || die "there is no $BUILT/token: build Postern, or set POSTERN_SOURCE and POSTERN_BUILD"
	mkdir -p "$WORK/tmp"
	chmod 700 "$WORK"
	prepare_database
	start_endpoints
	start_nginx
	"$OABENCH" wait "http://127.0.0.1:$PORT/jwks" 20000 >"$RUN/$NAME.coldstart" || die "no answer, see $LOG/$NAME-*.log"
	PIDS=$(for endpoint in $ENDPOINTS; do printf '%s ' "$RUN/$NAME-$endpoint.pid"; done)
	expand "$HERE/target.ini.in" >"$RUN/$NAME.ini"
}

stop()
{
	local endpoint

	stop_pid "$NAME-nginx"
	for endpoint in $ENDPOINTS; do
		stop_pid "$NAME-$endpoint"
	done
}

case $1 in
start | stop) "$1" ;;
*) die "usage: peer.sh start|stop NAME" ;;
esac

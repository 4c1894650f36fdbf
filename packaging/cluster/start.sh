#!/bin/sh
# A Ray cluster over SSH, without Kubernetes: docs/scale.md. Untested on real machines.
#   packaging/cluster/start.sh HEAD-ADDRESS NODE-ADDRESS...
# Each machine has fots-lite[cluster] in the folder $FOTS_VENV (default: /opt/fots-lite), and each
# may be reached by SSH without a password. `ray stop` ends the part of a machine.
set -eu
[ $# -ge 2 ] || { echo "Usage: $0 HEAD-ADDRESS NODE-ADDRESS..." >&2; exit 2; }
venv=${FOTS_VENV:-/opt/fots-lite}
head=$1
shift
[ -n "${RAY_AUTH_TOKEN:-}" ] || RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')

# The token goes over standard input: arguments can be seen by all users of a machine.
run() {
    address=$1
    shift
    printf '%s\n' "$RAY_AUTH_TOKEN" | ssh -o BatchMode=yes "$address" \
        "read -r RAY_AUTH_TOKEN; export RAY_AUTH_TOKEN RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0;
         $venv/bin/ray start --node-ip-address=$address --disable-usage-stats $*"
}

run "$head" --head --port=6379 --num-cpus=0 --include-dashboard=false
for node in "$@"; do
    run "$node" --address="$head:6379"
done
echo "On $head, with RAY_AUTH_MODE=token and this RAY_AUTH_TOKEN:" >&2
echo "$RAY_AUTH_TOKEN"
echo "  $venv/bin/fots-lite bulk SOURCE --output OUT --cluster $head:6379" >&2

#!/bin/bash
# Leases per second, Slipway beside Kea: perfdhcp in one network namespace, the servers by turns in another,
# three times each. Needs root and Debian's kea-dhcp4-server and kea-admin. Usage: run.sh [RATE [SECONDS [sync]]]
set -eu
rate=${1:-15000} seconds=${2:-10} sync=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=slw-bench-s$$ client=slw-bench-c$$
trap 'ip netns del $server; ip netns del $client; rm -rf "$work"' EXIT
ip netns add $server; ip netns add $client
ip -n $server link add b0 type veth peer name b0 netns $client
ip -n $server addr add 10.64.0.1/12 dev b0; ip -n $client addr add 10.64.0.2/12 dev b0
for n in $server $client; do ip -n $n link set b0 up; ip -n $n link set lo up; done

measure() { # name, process: the rate, what was lost, and the processor time that one lease took
  local before; before=$(awk '{print $14 + $15}' "/proc/$2/stat")
  ip netns exec $client perfdhcp -4 -r "$rate" -R 1000000 -b mac=00:0c:$((RANDOM % 90 + 10)):00:00:00 -p "$seconds" -l b0 10.64.0.1 >"$work/$1.txt" 2>&1 || true
  awk -v name="$1" -v ticks="$(awk -v b="$before" '{print $14 + $15 - b}' "/proc/$2/stat")" -v s="$seconds" '
    /^Rate/ {rate = $2} /drops ratio/ {drops = drops " " $3 " %"} /avg delay/ {delay = delay " " $3 " ms"}
    END {printf "%-8s %6.0f leases/s, %3.0f us of processor each, lost%s, mean delay%s (DISCOVER, REQUEST)\n", name, rate, ticks * 1e4 / (rate * s), drops, delay}' "$work/$1.txt"
}

slipway() {
  rm -f "$work"/leases.db*; mkfifo "$work/hold"
  ip netns exec $server dotnet "$here/../../artifacts/bin/Slipway.Bench.Dhcp/release/Slipway.Bench.Dhcp.dll" b0 "$work/leases.db" $sync <"$work/hold" >"$work/slipway.log" &
  local pid=$!
  exec 7>"$work/hold"
  until grep -q serving "$work/slipway.log"; do sleep 0.1; done
  measure warm-up $pid >/dev/null
  measure slipway $pid
  exec 7>&-
  wait $pid
  rm "$work/hold"
}

kea() {
  rm -f "$work"/kea.csv*
  KEA_PIDFILE_DIR=$work KEA_LOCKFILE_DIR=$work ip netns exec $server kea-dhcp4 -c "$work/kea.json" >"$work/kea.log" 2>&1 &
  local pid=$!
  sleep 3
  measure warm-up $pid >/dev/null
  measure kea $pid
  kill $pid; wait $pid || true
}

cat >"$work/kea.json" <<J
{"Dhcp4": {"interfaces-config": {"interfaces": ["b0"], "dhcp-socket-type": "udp"}, "valid-lifetime": 3600,
 "lease-database": {"type": "memfile", "persist": true, "name": "$work/kea.csv", "lfc-interval": 0},
 "multi-threading": {"enable-multi-threading": true, "thread-pool-size": 2, "packet-queue-size": 64},
 "subnet4": [{"subnet": "10.64.0.0/12", "interface": "b0", "pools": [{"pool": "10.65.0.0-10.79.255.254"}]}],
 "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}
J
dotnet build -c Release -v q -nologo "$here" >/dev/null
for _ in 1 2 3; do slipway; kea; done

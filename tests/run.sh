#!/bin/bash
# Sets up what the tests need and runs them all. The last line is "N passed, N failed, N skipped".
# Usage: tests/run.sh [--long]     --long adds the soaks (tests marked Explicit)
set -u
cd "$(dirname "$0")/.." || exit 2
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1
unset NO_COLOR
explicit=off
for argument in "$@"; do
  case $argument in
    --long) explicit=on ;;
    *) echo "usage: ./test [--long]" >&2; exit 2 ;;
  esac
done

fail() { # a sentence: what is missing and what to do
  echo "test: $1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing (dotnet is not on PATH); see README.md"

# Peers that the tests talk to, and tools that check what we wrote. The demo fetches what the boots need by itself.
packages=(
  libiscsi-bin libiscsi-dev sg3-utils qemu-utils qemu-block-extra
  isc-dhcp-client isc-dhcp-relay udhcpc dhcpcd-base dnsmasq-base kea-admin tftp-hpa atftp curl openssl sslscan iproute2 util-linux
  grub-common
  qemu-system-x86 ovmf qemu-system-arm qemu-efi-aarch64
  kmod procps
  dosfstools mtools fdisk gdisk e2fsprogs xfsprogs genisoimage
  gzip xz-utils zstd
  gcc libc6-dev
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  [ "$(id -u)" = 0 ] || fail "Debian packages are missing; as root: $install"
  echo "test: $install"
  log=$(mktemp)
  # A service that a package would start has no business on the machine that runs the tests.
  if ! { apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive $install -o DPkg::Lock::Timeout=300; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    fail "could not install the Debian packages above"
  fi
  rm -f "$log"
fi
[ "$(id -u)" = 0 ] || fail "the tests make network namespaces and listen on ports below 1024: run ./test as root"

echo "test: building"
dotnet build Slipway.slnx -c Release -v q -nologo || fail "the build failed"

passed=0 failed=0 skipped=0 broken=0
run() { # the test modules that match $1, up to $2 of them at once
  local log; log=$(mktemp)
  dotnet test --test-modules "$1" --max-parallel-test-modules "$2" --no-ansi --no-progress -- --explicit "$explicit" 2>&1 | tee "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || broken=1
  count() { sed -n "s/^ *$1: \([0-9]*\)$/\1/p" "$log" | tail -1; }
  passed=$((passed + $(count succeeded) + 0))
  failed=$((failed + $(count failed) + 0))
  skipped=$((skipped + $(count skipped) + 0))
  rm -f "$log"
}
run "artifacts/bin/*.Tests/release/*.Tests.dll" 2
# Boots take both cores, and one after the other they are quicker to read.
[ -d tests/Slipway.EndToEnd ] && run "artifacts/bin/Slipway.EndToEnd/release/Slipway.EndToEnd.dll" 1

# A module that crashed, or that ran no test, fails without a failed test of its own.
[ "$broken" = 1 ] && [ "$failed" = 0 ] && failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]

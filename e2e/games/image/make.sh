#!/bin/bash
# Makes the root file system of the test image from packages that this machine has.
# usage: make.sh WORK-FOLDER MODULES-FOLDER MODULES-IN-THE-IMAGE PACKAGE…
set -euo pipefail
work=$1 modules=$2 target=$3
here=$(dirname "$0")
shift 3

packages=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts \
    --no-breaks --no-replaces --no-enhances "$@" | grep -v '^[ <]' | sort -u)
for package in $packages; do
    # A virtual package has no files.
    dpkg-query --listfiles "$package" 2>/dev/null || true
done | grep -vE '^/usr/share/(doc|man|locale|info|lintian)/' | sort -u |
    while read -r path; do
        if [ ! -d "$path" ] && [ -e "$path" ]; then echo "${path#/}"; fi
    done >"$work/list"
# /bin, /lib and their like are links on this machine, and stay so.
for link in bin sbin lib lib64; do
    if [ -L "/$link" ]; then echo "$link"; fi
done >>"$work/list"
tar --create --file "$work/root.tar" --directory / --files-from "$work/list" \
    --transform 's,^\(bin\|sbin\|lib\|lib64\)/,usr/\1/,'

more="$work/more"
for folder in dev etc home/container mnt/server proc sys tmp usr/bin; do
    mkdir -p "$more/$folder"
done
chmod 1777 "$more/tmp"
printf '%s\n' root:x:0:0::/root:/bin/bash container:x:988:988::/home/container:/bin/bash >"$more/etc/passwd"
printf '%s\n' root:x:0: container:x:988: >"$more/etc/group"
cp "$here/entrypoint.sh" "$more/"
cp "$(command -v node)" "$more/usr/bin/node"
mkdir -p "$more$(dirname "$target")"
cp -R "$modules" "$more$target"
tar --append --file "$work/root.tar" --owner 0 --group 0 --directory "$more" .
rm -rf "$more"

#!/bin/bash
# What images for games do: turn the start line's placeholders into variables and let a shell run it.
cd /home/container || exit 1
line=$(printf '%s' "$STARTUP" | sed -e 's/{{/${/g' -e 's/}}/}/g')
printf ':/home/container$ %s\n' "$line"
eval "exec env $line"

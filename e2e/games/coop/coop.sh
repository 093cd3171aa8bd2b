# A console game that behaves as badly as it is told: one command a line on standard input.
run=$RANDOM$RANDOM
echo "The coop is open, run $run"
while read -r word rest; do
  case $word in
    say) echo "coop says: $rest" ;;
    run) echo "this is run $run" ;;
    crash) exit 3 ;;
    leave) exit 0 ;;
    # Memory without end.
    hoard) exec tail /dev/zero ;;
    # A file of so many MiB.
    fill) head -c "${rest}M" /dev/zero >heap && echo "filled $rest MiB" ;;
    flood) seq -f 'line %.0f of the flood' "$rest" && echo "the flood is over" ;;
    # One line of so many bytes, without an end for long.
    stretch) head -c "$rest" /dev/zero | tr '\0' x && echo && echo "the line is over" ;;
    shout) printf 'not text: \377\376 \303(\n' ;;
    deaf) trap '' INT TERM HUP QUIT; echo "deaf now"; deaf=1 ;;
    # Children that leave the group and outlive their parent, told apart by the number.
    orphans) for _ in 1 2 3; do (setsid sleep "$rest" </dev/null >/dev/null 2>&1 &); done
             echo "orphans left" ;;
    # More processes than anybody may have.
    breed) for _ in $(seq "$rest"); do sleep 600 & done 2>/dev/null; echo "bred" ;;
    stop) [ -n "$deaf" ] || exit 0; echo "stop? never heard of it" ;;
    *) echo "no such word: $word" ;;
  esac
done
# Deaf to the end of input, too.
while [ -n "$deaf" ]; do sleep 1; done

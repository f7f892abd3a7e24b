# Source this to show one line with progress and time left: redrawn on a terminal, a plain line
# every 20 seconds in a log, like src/base/progress.h in the program. Writes to standard error.

progress_start() {  # LABEL
  progress_label=$1
  progress_began=$SECONDS
  progress_drawn=$SECONDS
  progress_line=""
  progress_terminal=""
  if [ -t 2 ]; then progress_terminal=yes; fi
}

duration() {  # SECONDS
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

progress_draw() {  # TEXT
  if [ "$progress_terminal" ]; then
    printf '\r\033[K%s %s' "$progress_label" "$1" >&2
  else
    printf '%s %s\n' "$progress_label" "$1" >&2
  fi
  progress_drawn=$SECONDS
}

progress_show() {  # DONE TOTAL NOTE
  local elapsed=$((SECONDS - progress_began)) text
  text="$(printf '%3d%%' $((100 * $1 / $2)))"
  # The rate means nothing before 5 % are done.
  if ((elapsed >= 5 && 20 * $1 >= $2)); then text+="  $(duration $((elapsed * ($2 - $1) / $1))) left"; fi
  text+="  $3"
  if [ "$progress_terminal" ]; then
    if [ "$text" != "$progress_line" ]; then progress_draw "$text"; fi
  elif ((SECONDS - progress_drawn >= 20)); then
    progress_draw "$text"
  fi
  progress_line=$text
}

# Prints a line of other output without losing it in the redrawn one.
progress_print() {  # TEXT
  if [ "$progress_terminal" ]; then printf '\r\033[K' >&2; fi
  printf '%s\n' "$1" >&2
  progress_line=""
}

progress_finish() {  # NOTE
  progress_draw "$1 in $(duration $((SECONDS - progress_began)))"
  if [ "$progress_terminal" ]; then printf '\n' >&2; fi
}

# Ends the redrawn line before an error message.
progress_stop() {
  if [ "$progress_terminal" ] && [ "$progress_line" ]; then printf '\n' >&2; fi
}

#!/usr/bin/env bash
# Usage: count.sh LOG RESULT_FILE
# Result: lines "day TAB path TAB requests TAB errors TAB bytes".
set -euo pipefail
log=$1 result=$2

read_log() {
  case $log in
    *.gz) gzip -dc -- "$log" ;;
    *) cat -- "$log" ;;
  esac
}

mkdir -p "$(dirname "$result")"
read_log | LC_ALL=C awk -v OFS='\t' '
  BEGIN {
    split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", names, " ")
    for (i in names) number[names[i]] = sprintf("%02d", i)
  }
  # 203.0.113.7 - - [22/Nov/2026:14:22:33 +0000] "GET /path?query HTTP/1.1" 200 512
  match($0, /\[[0-9][0-9]\/[A-Z][a-z][a-z]\/[0-9][0-9][0-9][0-9]:/) {
    day = substr($0, RSTART + 1, 11)
    rest = substr($0, RSTART + RLENGTH)
    if (split(rest, quoted, "\"") < 3) next
    split(quoted[2], request, " ")
    if (split(quoted[3], after, " ") < 1 || after[1] !~ /^[1-5][0-9][0-9]$/) next
    path = request[2]
    sub(/[?#].*/, "", path)
    gsub(/\t/, " ", path)
    split(day, part, "/")
    key = part[3] "-" number[part[2]] "-" part[1] OFS path
    requests[key]++
    if (after[1] >= 500) errors[key]++
    if (after[2] ~ /^[0-9]+$/) bytes[key] += after[2]
    good++
  }
  END {
    if (NR > 0 && good * 2 < NR) {
      print "only " good + 0 " of " NR " lines are log lines" > "/dev/stderr"
      exit 1
    }
    for (key in requests) print key, requests[key], errors[key] + 0, bytes[key] + 0
  }
' > "$result.part"
mv "$result.part" "$result"
echo "$(wc -l < "$result") pairs of day and path"

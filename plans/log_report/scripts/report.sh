#!/usr/bin/env bash
# Usage: report.sh CSV_FILE RESULTS_FOLDER TOP OUTPUT_FILE
set -euo pipefail
export LC_ALL=C
csv=$1 results=$2 top=$3 output=$4

[[ $top =~ ^[1-9][0-9]*$ ]] || { echo "TOP must be a whole number above 0, not $top" >&2; exit 1; }

all_counts() {
  find "$results" -name '*.tsv' -print0 2> /dev/null | sort -z | xargs -0 -r cat --
}

{
  echo '# Log report'
  echo
  echo '| day | requests | errors | bytes |'
  echo '|---|---:|---:|---:|'
  all_counts | awk -F '\t' '
    { requests[$1] += $3; errors[$1] += $4; bytes[$1] += $5 }
    END { for (day in requests) printf "| %s | %d | %d | %d |\n", day, requests[day], errors[day], bytes[day] }
  ' | sort
  echo
  echo "The $top most requested:"
  echo
  echo '| path | requests |'
  echo '|---|---:|'
  # Tabs between, so that paths with spaces sort as one. No `head`: it would end sort by a broken pipe.
  all_counts | awk -F '\t' '
    { requests[$2] += $3 }
    END { for (path in requests) printf "%d\t%s\n", requests[path], path }
  ' | sort -t "$(printf '\t')" -k1,1nr -k2 | awk -F '\t' -v top="$top" '
    NR <= top { gsub(/\|/, "\\|", $2); printf "| %s | %d |\n", $2, $1 }
  '
  echo
  # A record ends with its closing quote, since a path may hold a line end.
  awk -v RS='"\n' '
    NR == 1 { sub(/^id,path\n/, "") }
    $0 != "" {
      comma = index($0, ",")
      path = substr($0, comma + 2)
      gsub(/""/, "\"", path)
      gsub(/\n/, " ", path)
      print substr($0, 1, comma - 1) "\t" path
    }
  ' "$csv" | while IFS=$(printf '\t') read -r id path; do
    [ -e "$results/$id.tsv" ] || echo "- not read: $path"
  done
} > "$output.part"
mv "$output.part" "$output"

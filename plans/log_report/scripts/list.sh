#!/usr/bin/env bash
# Usage: list.sh LOG_FOLDER CSV_FILE
set -euo pipefail
folder=$1 csv=$2

[ -d "$folder" ] || { echo "$folder: not a folder" >&2; exit 1; }

# NUL between the names, since a file name may hold a line end. LC_ALL=C: the same order on every machine.
cd "$folder"
find . -type f \( -name '*.log' -o -name '*.log.gz' -o -name '*.log.[0-9]*' \) -print0 |
  LC_ALL=C sort -z |
  LC_ALL=C awk -v RS='\0' '
    BEGIN { printf "id,path\n" }
    {
      path = substr($0, 3)
      gsub(/"/, "\"\"", path)
      printf "%04d,\"%s\"\n", NR, path
    }
    END { print NR " logs found" > "/dev/stderr" }
  ' > "$csv.part"
mv "$csv.part" "$csv"

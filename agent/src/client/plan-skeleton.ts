export interface SkeletonFile {
  readonly path: string;
  readonly text: string;
  readonly runnable: boolean;
}

/** The files of a new plan: it runs as it is, and each part of it shows one thing to build on. */
export function planSkeleton(name: string): SkeletonFile[] {
  return [
    { path: 'plan.md', text: planText(name), runnable: false },
    { path: 'scripts/list-names.sh', text: LIST, runnable: true },
    { path: 'scripts/greet.sh', text: GREET, runnable: true },
    { path: 'scripts/frame.sh', text: FRAME, runnable: true },
    { path: 'scripts/combine.sh', text: COMBINE, runnable: true },
  ];
}

function planText(name: string): string {
  return `# Plan: ${name}

<!-- A plan is this file and the scripts beside it. Comments like this one are for you: remove them as you like.
     planfleet validate FOLDER     says what is wrong with it, with line and column
     planfleet submit FOLDER --watch -i GREETING=Hi -i OUTPUT_FILE=greetings.txt -->

## Goal

Greet everybody on a list, each in a task of its own, and put the greetings into one file.

## Inputs

<!-- {NAME} in a command is replaced by the value of the input. An input without a default must be given with
     -i NAME=VALUE. (file) and (folder) travel along with -i NAME=@PATH; (output file) comes back with --watch. -->

- **GREETING**: Word that each greeting begins with (default: Hello)
- **OUTPUT_FILE**: Text file with all greetings (output file, default: greetings.txt)

## Outputs

- {OUTPUT_FILE} - one greeting for each name

## Available Scripts

### scripts/list-names.sh

- **Purpose**: Write the list of names, each with an id
- **GPU**: no
- **Run command**: \`bash {PLAN_PATH}/scripts/list-names.sh {BATCH_PATH}/names.json\`
- **Output**: \`{BATCH_PATH}/names.json\` with the key \`names\`

### scripts/greet.sh

- **Purpose**: Greet one name
- **GPU**: no
- **Run command**: \`bash {PLAN_PATH}/scripts/greet.sh {GREETING} <name> <result file>\`
- **Output**: \`{BATCH_PATH}/results/<id>.txt\`

### scripts/frame.sh

- **Purpose**: Put a frame around one greeting
- **GPU**: no
- **Run command**: \`bash {PLAN_PATH}/scripts/frame.sh <greeting> <result file>\`
- **Output**: \`{BATCH_PATH}/results/<id>.framed.txt\`

### scripts/combine.sh

- **Purpose**: Put all greetings into one file
- **GPU**: no
- **Run command**: \`bash {PLAN_PATH}/scripts/combine.sh {BATCH_PATH}/results {OUTPUT_FILE}\`
- **Output**: {OUTPUT_FILE}

## Tasks

<!-- One heading for each task. task_class says what it needs: cpu (a processor), script (a share of a graphics
     card), llm (a language model). {PLAN_PATH} is this folder and {BATCH_PATH} the folder of the batch, on
     whatever machine runs the task; it is also where commands start. -->

### list_names
- **task_class**: cpu
- **command**: \`bash {PLAN_PATH}/scripts/list-names.sh {BATCH_PATH}/names.json\`
- **depends_on**: none
- **produces**: {BATCH_PATH}/names.json

<!-- foreach makes one task for each item of the list under the key "names". An item is any JSON value;
     {ITEM.id} names its task, and the other fields are whatever your list says. Values are quoted for the shell by
     planfleet, so write no quotes around placeholders. -->

### greet
- **task_class**: cpu
- **command**: \`bash {PLAN_PATH}/scripts/greet.sh {GREETING} {ITEM.name} {BATCH_PATH}/results/{ITEM.id}.txt\`
- **depends_on**: list_names
- **foreach**: {BATCH_PATH}/names.json:names
- **produces**: {BATCH_PATH}/results/{ITEM.id}.txt
- **timeout**: 10m

<!-- "greet_{ITEM.id}" is a per-item dependency: each item goes on as soon as its own greeting is there, and does
     not wait for those of the others. -->

### frame
- **task_class**: cpu
- **command**: \`bash {PLAN_PATH}/scripts/frame.sh {BATCH_PATH}/results/{ITEM.id}.txt {BATCH_PATH}/results/{ITEM.id}.framed.txt\`
- **depends_on**: greet_{ITEM.id}
- **foreach**: {BATCH_PATH}/names.json:names
- **produces**: {BATCH_PATH}/results/{ITEM.id}.framed.txt

<!-- Without {ITEM.id} a dependency waits for all tasks of "frame". -->

### combine
- **task_class**: cpu
- **command**: \`bash {PLAN_PATH}/scripts/combine.sh {BATCH_PATH}/results {OUTPUT_FILE}\`
- **depends_on**: frame

## Notes

- A command that ends with another exit code than 0 has failed; it is tried again up to three times (\`max_attempts\`).
- What a command prints is its log: \`planfleet logs TASK -f\` shows it as it comes, \`planfleet task TASK\` its end for every attempt.
`;
}

const LIST = `#!/usr/bin/env bash
# Usage: list-names.sh LIST_FILE
# Writes the list that the foreach tasks of the plan run over. Yours would look into a folder or ask a database.
set -euo pipefail

# Written under another name and renamed at the end: nobody ever reads half a list.
cat > "$1.part" <<'LIST'
{
  "names": [
    {"id": "ada", "name": "Ada Lovelace"},
    {"id": "grace", "name": "Grace Hopper"},
    {"id": "zoe", "name": "Zoë O'Brien & Sons"}
  ]
}
LIST
mv "$1.part" "$1"
`;

const GREET = `#!/usr/bin/env bash
# Usage: greet.sh GREETING NAME RESULT_FILE
set -euo pipefail

# Lines like this one show as the progress of the task.
echo "::progress 0.5 greeting $2"
printf '%s, %s!\\n' "$1" "$2" > "$3.part"
mv "$3.part" "$3"
`;

const FRAME = `#!/usr/bin/env bash
# Usage: frame.sh GREETING_FILE RESULT_FILE
set -euo pipefail

{
  echo '---------------------------'
  cat "$1"
} > "$2.part"
mv "$2.part" "$2"
`;

const COMBINE = `#!/usr/bin/env bash
# Usage: combine.sh RESULTS_FOLDER OUTPUT_FILE
set -euo pipefail

cat "$1"/*.framed.txt > "$2.part"
mv "$2.part" "$2"
echo "$(grep -c '!$' "$2") greetings in $2"
`;

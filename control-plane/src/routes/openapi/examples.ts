/** What the examples of the description are about: one batch, all the way through. */
export const EXAMPLE_SHA256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
export const EXAMPLE_BATCH_ID = '20261122_142233';

/** A plan that validates without a word and runs wherever there is bash. A test does both. */
export const EXAMPLE_PLAN = `# Plan: Word Count

## Goal
Count the words of every text file in a folder, and write one table.

## Inputs
- **INPUT_FOLDER**: Folder with the .txt files (folder)
- **OUTPUT_FILE**: CSV file to write (output file)

## Tasks

### scan (List the files)
- **task_class**: cpu
- **depends_on**: none
- **command**:
  \`\`\`bash
  node -e '
    const names = require("fs").readdirSync(process.argv[1]).filter((name) => name.endsWith(".txt"));
    console.log(JSON.stringify({ files: names.map((name, n) => ({ id: "file" + n, name })) }));
  ' {INPUT_FOLDER} > {BATCH_PATH}/manifest.json
  \`\`\`
- **produces**: {BATCH_PATH}/manifest.json

### count (One task per file)
- **task_class**: cpu
- **depends_on**: scan
- **foreach**: {BATCH_PATH}/manifest.json:files
- **command**: \`mkdir -p {BATCH_PATH}/counts && wc -w < {INPUT_FOLDER}/{ITEM.name} > {BATCH_PATH}/counts/{ITEM.id}.txt\`
- **produces**: {BATCH_PATH}/counts/{ITEM.id}.txt
- **timeout**: 5m
- **max_failures**: 10%

### merge (Once, after every count)
- **task_class**: cpu
- **depends_on**: count
- **command**: \`cat {BATCH_PATH}/counts/*.txt | awk '{ sum += $1 } END { print "words," sum }' > {OUTPUT_FILE}\`
`;

const counts = {
  total: 12,
  waiting: 1,
  ready: 0,
  leased: 4,
  backoff: 0,
  succeeded: 7,
  abandoned: 0,
  skipped: 0,
  cancelled: 0,
};

export const EXAMPLE_BATCH = {
  id: EXAMPLE_BATCH_ID,
  plan_name: 'Word Count',
  state: 'active',
  priority: 5,
  submitted_by: 'planner',
  created_at: '2026-11-22T14:22:33.000Z',
  finished_at: null,
  ...counts,
};

export const EXAMPLE_STAGE = {
  key: 'count',
  description: null,
  state: 'open',
  task_class: 'cpu',
  depends_on: ['scan'],
  expanded: true,
  ...counts,
  total: 10,
  waiting: 0,
  succeeded: 6,
};

export const EXAMPLE_TASK = {
  id: `${EXAMPLE_BATCH_ID}:count:3`,
  name: 'count_file3',
  stage: 'count',
  ordinal: 3,
  state: 'succeeded',
  attempts: 1,
  tries: 0,
  losses: 0,
  agent: null,
  not_before: null,
  item: { id: 'file3', name: 'notes.txt' },
};

export const EXAMPLE_ATTEMPT = {
  attempt: 1,
  agent: 'gpu-1',
  outcome: 'succeeded',
  error_type: null,
  message: null,
  exit_code: 0,
  signal: null,
  late: false,
  claimed_at: '2026-11-22T14:22:34.000Z',
  started_at: '2026-11-22T14:22:34.100Z',
  ended_at: '2026-11-22T14:22:35.000Z',
  tail: '',
};

export const EXAMPLE_LEASE_KEY = { stage: 2, ordinal: 3, lease: 41 };

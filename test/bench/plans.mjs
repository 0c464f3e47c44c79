/** 16 bytes each, as the names of files in a folder are. */
export function makeItems(count) {
  return Array.from({ length: count }, (_, index) => `file-${String(index).padStart(7, '0')}.pdf`);
}

export function inlinePlan(items, command = 'true') {
  return `# Plan: Inline

## Tasks

### work
- **task_class**: cpu
- **foreach**: ${JSON.stringify(items)}
- **command**: \`${command}\`
`;
}

/** The list is read by the agent when \`scan\` has succeeded, as in most real plans. */
export const LIST_PLAN = `# Plan: List

## Tasks

### scan
- **task_class**: cpu
- **command**: \`true\`
- **produces**: {BATCH_PATH}/items.json

### work
- **task_class**: cpu
- **depends_on**: scan
- **foreach**: {BATCH_PATH}/items.json:items
- **command**: \`true\`
`;

/** The same with a task that waits for all of them. */
export const COMBINE_PLAN = `${LIST_PLAN}
### combine
- **task_class**: cpu
- **depends_on**: work
- **command**: \`true\`
`;

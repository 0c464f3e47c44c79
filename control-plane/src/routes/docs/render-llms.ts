import {
  builtinVariables,
  diagnosticCodes,
  taskFields,
  unsupportedFields,
  unsupportedTypes,
} from '@planfleet/shared-types';
import { EXAMPLE_PLAN } from '../openapi/examples.ts';
import { type ApiDocument, listOperations } from './api-document.ts';
import { planFields } from './plan-fields.ts';

/** What a language model needs to write a plan, have it checked, and run it. Markdown. */
export function renderLlms(document: ApiDocument): string {
  return `# planfleet

> Runs markdown plans on a fleet of machines over HTTP. You write plan.md (and scripts, if it needs any), have it
> validated, submit it with inputs, watch the batch, and read its files.

All routes in full: [OpenAPI 3.1](/openapi.json), [as a page](/docs).

## How to go about it
1. Write plan.md as below. Split the work into small commands; use \`foreach\` for one task per item.
2. \`POST /v1/plans/validate\` and mend every diagnostic (each has a line, often a \`hint\`, \`suggest\` or \`edits\` to make) until \`valid\` is true.
3. \`POST /v1/batches\` with the inputs. The answer has the \`batch_id\`.
4. Watch \`GET /v1/batches/{id}/events\`, or ask \`GET /v1/batches/{id}\` until \`finished_at\` is set. \`state\` is then succeeded, failed or cancelled.
5. Failed: \`GET /v1/batches/{id}/tasks?state=abandoned\`, then \`GET /v1/tasks/{task}\`: \`history\` has the exit code, the error and the end of the output of each attempt. It is in the script or the inputs: mend that and submit again. It was the machine or the moment: \`POST /v1/batches/{id}/retry\` tries again what was given up, and keeps what has succeeded.
6. It does not get on: \`GET /v1/batches/{id}/explain\` (or of a task) says why.
7. Read results: \`GET /v1/batches/{id}/files\` and \`GET /v1/batches/{id}/files/{path}\`.

## A plan
\`\`\`\`markdown
${EXAMPLE_PLAN.trimEnd()}
\`\`\`\`

### Sections
- \`# Plan: <Name>\`: needed.
- \`## Goal\`: prose.
- \`## Inputs\`: \`- **NAME**: description\`. In the description: \`(default: x)\`, \`(optional)\` for an empty default, else a value must be given. \`(file)\` and \`(folder)\` may travel with the submission; \`(output file)\` and \`(output folder)\` are written by tasks and come back with the batch's files.
- \`## Setup\`: a fenced bash block, run in {PLAN_PATH} once per machine before the first task there.
- \`## Tasks\`: needed. One \`### task_id\` each (letters, digits, \`_ . -\`; a remark may follow in parentheses), then its fields as \`- **field**: value\`.
- \`## Outputs\`, \`## Available Scripts\`, \`## Notes\`: prose. Prose after the fields of a task ends them.

### Fields of a task
${renderFields()}

### Placeholders
- ${[...builtinVariables].map((name) => `\`{${name}}\``).join(', ')}, each input as \`{NAME}\`, and with foreach \`{ITEM}\`, \`{ITEM.field}\`, \`{ITEM_INDEX}\`.
- {PLAN_PATH} holds the plan folder, {BATCH_PATH} the files of this batch. The tasks of a batch see each other's files there, but only what is written to an \`(output file)\` or \`(output folder)\` input comes back with the batch's files.
- A value arrives as one argument whatever is in it: write \`cat {ITEM.path}\`, not \`cat "$(echo {ITEM.path})"\`, and no quotes of your own are needed. Never hand a value to \`eval\`, \`bash -c\` or \`ssh\`.
- Every other brace is literal: \`\${HOME}\`, awk programs, JSON.
- A command succeeds when it exits with 0. It must be safe to run again: a machine that is lost has its tasks run elsewhere.

### Diagnostics
An error keeps a plan from being submitted; a warning does not.
${renderDiagnostics()}

## The API with curl
\`URL\` is where this page comes from. \`TOKEN\` needs the scopes submit and read, and operate to cancel, pause, resume, retry, abort, kill or delete.
${renderCalls(document)}

A plan folder with scripts goes as a form: \`tar czf plan.tgz -C my_plan . && curl -H "Authorization: Bearer $TOKEN" -F bundle=@plan.tgz -F config='{"INPUT_FOLDER":"/data/texts"}' "$URL/v1/batches"\`

Errors are \`application/problem+json\` with \`code\`, \`detail\`, often \`hint\`; for a plan \`diagnostics\`, for other requests \`issues\`. 503 \`busy\`: send the same again in a moment.
`;
}

function renderFields(): string {
  const unsupported = new Map(unsupportedFields.map(({ field, effect }) => [field, effect]));
  const lines = Object.entries(planFields).map(([name, text]) => {
    const purpose = taskFields[name]?.purpose;
    const only = purpose === undefined ? '' : ` For ${purpose}.`;
    const effect = unsupported.get(name);
    const missing = effect === undefined ? '' : ` Not acted on by this version: ${effect}`;
    return `- \`${name}\`: ${text}.${only}${missing}`;
  });
  const types =
    unsupportedTypes.length === 0
      ? ''
      : `\n\nThis version runs no tasks of type ${unsupportedTypes.join(', ')}.`;
  return lines.join('\n') + types;
}

function renderDiagnostics(): string {
  return Object.entries(diagnosticCodes)
    .map(([rule, { code, meaning }]) => `- ${code} \`${rule}\`: ${meaning}`)
    .join('\n');
}

function renderCalls(document: ApiDocument): string {
  return ['plans', 'batches', 'tasks', 'blobs']
    .flatMap((tag) => listOperations(document, tag))
    .map(({ method, path, operation }) => {
      const samples = operation['x-codeSamples'].map(({ source }) => source).join('\n');
      return `### ${operation.summary}\n\`${method} ${path}\`\n\`\`\`bash\n${samples}\n\`\`\``;
    })
    .join('\n\n');
}

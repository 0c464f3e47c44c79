const COUNTS = {
  total: 'Tasks. Grows while lists are still being expanded.',
  waiting: 'For other tasks.',
  ready: 'To be claimed by an agent.',
  leased: 'Held by an agent: they run, or are about to.',
  backoff: 'Failed, and tried again after a pause.',
  succeeded: 'Ended with exit code 0, and with what they produce.',
  abandoned: 'Failed with all tries used up.',
  skipped: 'Not run, for want of an item that was abandoned.',
  cancelled: 'Not run, or stopped, because the batch was cancelled.',
};

/** What the names of fields do not say, by shape. A test finds those that are no longer there. */
export const fieldDescriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Batch: {
    ...COUNTS,
    state: 'active, paused and cancelling go on; succeeded, failed and cancelled are the end.',
    priority: 'From 1 to 10, higher first.',
    submitted_by: 'Subject of the token.',
    finished_at: 'Null: it has not ended.',
  },
  Stage: {
    ...COUNTS,
    key: 'Id of the `###` task in the plan.',
    state: 'waiting for other stages, open, done, failed, or cancelled.',
    expanded: 'False while its list is not known or being expanded: `total` will grow.',
  },
  Task: {
    id: '`BATCH:STAGE:ORDINAL`.',
    name: 'For people: the stage with the id of the item.',
    stage: 'Key of its stage.',
    ordinal: 'Place in the list of its stage, from 0.',
    attempts: 'Attempts so far.',
    tries: 'Those that count against `max_attempts`.',
    losses: 'Those that ended with their machine, which cost no try.',
    agent: 'Who holds it; null: nobody.',
    not_before: 'When it is tried again; null: no pause.',
    item: 'Its item of the list; null: its stage has none.',
  },
  Attempt: {
    outcome:
      'succeeded, failed, stopped (on request), returned (handed back unused) or lost (with its machine).',
    error_type:
      'worker (the command failed), timeout, definition (the plan is wrong) or lost; null: no error.',
    message: 'What went wrong, in a sentence.',
    signal: 'That ended the process; null: none.',
    late: 'It was reported after its lease had ended.',
    tail: 'The end of its output.',
  },
  File: {
    path: 'Below `{BATCH_PATH}`.',
    task: 'Id of the task that sent it.',
  },
  Submitted: {
    stages: 'How many.',
    tasks: 'How many so far: lists that tasks write add theirs later.',
    diagnostics: 'Warnings; a plan with errors is refused.',
    links: 'Addresses of the batch, its stages, tasks and files.',
  },
  Agent: {
    slots: 'CPU tasks that it runs at once.',
    leased: 'Tasks that it holds.',
    labels: 'What tasks may ask of it.',
  },
  Diagnostic: {
    code: 'Stable; /llms.txt lists all.',
    rule: 'The name of the code.',
    subject: 'What it is about: an id, a field, a placeholder.',
    line: 'In plan.md, from 1.',
    column: 'From 1.',
    hint: 'What to write instead.',
    suggest: 'The nearest known name.',
    fix: 'An edit of plan.md that removes the cause.',
  },
  Problem: {
    type: '`urn:planfleet:problem:CODE`.',
    title: 'What the code means.',
    detail: 'What went wrong this time.',
    code: 'Stable, for programs.',
    hint: 'What to do instead.',
  },
};

/**
 * Every rule with its code and what it means. Codes are stable: a number is never given to another
 * rule, and a rule that goes leaves a gap.
 */
export const diagnosticCodes = {
  missing_section: { code: 'PF001', meaning: 'A section that every plan needs is missing.' },
  no_tasks: { code: 'PF002', meaning: 'The section Tasks holds no task.' },
  invalid_id: {
    code: 'PF003',
    meaning: 'A task id has characters that no id may have, or too many of them.',
  },
  duplicate_id: { code: 'PF004', meaning: 'Two tasks have the same id.' },
  heading_without_fields: {
    code: 'PF005',
    meaning: 'A heading under Tasks has no fields and is read as prose.',
  },
  unknown_key: { code: 'PF006', meaning: 'A field has a name that the plan format does not know.' },
  duplicate_field: { code: 'PF007', meaning: 'A task gives the same field twice; the first counts.' },
  invalid_value: { code: 'PF008', meaning: 'The value of a field cannot be read and counts as not given.' },
  missing_field: { code: 'PF009', meaning: 'A field that the type of the task needs is missing.' },
  wrong_field: { code: 'PF010', meaning: 'A field does not suit the type or class of the task.' },
  missing_task_class: {
    code: 'PF011',
    meaning: 'The class of a task is not stated and was guessed from its command.',
  },
  ignored_field: {
    code: 'PF012',
    meaning: 'A field stands after prose or a heading that ended the field list.',
  },
  ignored_text: { code: 'PF013', meaning: 'Text after the inline code of a value is ignored.' },
  unknown_dependency: { code: 'PF014', meaning: 'A dependency names no task of the plan.' },
  cycle: { code: 'PF015', meaning: 'Tasks wait for each other.' },
  item_dependency_across_lists: {
    code: 'PF016',
    meaning: 'A per-item dependency joins tasks that do not run over the same list.',
  },
  foreach_unproduced: {
    code: 'PF017',
    meaning: 'No task before it can have written the list that a foreach reads.',
  },
  unresolved_placeholder: { code: 'PF018', meaning: 'A placeholder has no value.' },
  raw_placeholder: { code: 'PF019', meaning: 'An input is inserted verbatim and can become shell syntax.' },
  raw_not_allowed: { code: 'PF020', meaning: 'Only inputs may be inserted verbatim.' },
  unsafe_placeholder: {
    code: 'PF021',
    meaning: 'A placeholder stands where no value can be inserted safely.',
  },
  unbalanced_quote: {
    code: 'PF022',
    meaning: 'A command opens a quote, parenthesis or here-document and never closes it.',
  },
  hardcoded_gpu: { code: 'PF023', meaning: 'A command chooses a GPU itself.' },
  missing_script: { code: 'PF024', meaning: 'A command names a script that is not in the plan folder.' },
  builtin_as_input: { code: 'PF025', meaning: 'An input has the name of a variable that planfleet sets.' },
  invalid_input_name: { code: 'PF026', meaning: 'The name of an input cannot be used as a placeholder.' },
  duplicate_input: { code: 'PF027', meaning: 'Two inputs have the same name; the first counts.' },
  unused_input: { code: 'PF028', meaning: 'No task and no Setup uses an input.' },
  unknown_input: { code: 'PF029', meaning: 'A value was given for an input that the plan does not have.' },
  missing_input: { code: 'PF030', meaning: 'No value was given for an input that needs one.' },
  not_supported_yet: {
    code: 'PF031',
    meaning: 'The plan asks for something that this version reads but does not act on.',
  },
  plan_too_large: { code: 'PF032', meaning: 'The plan is too large to be read.' },
  invalid_input: { code: 'PF033', meaning: 'The value given for an input cannot be used.' },
  value_in_inner_shell: {
    code: 'PF034',
    meaning: 'A value is handed to another shell or to eval, which reads it as syntax.',
  },
  not_a_number: { code: 'PF035', meaning: 'A value that bash calculates with is no whole number.' },
  placeholder_in_value: {
    code: 'PF036',
    meaning: 'The value of an input holds a placeholder, which is passed as it is written.',
  },
  near_placeholder: {
    code: 'PF037',
    meaning: 'Text in braces looks like a placeholder, is none, and is passed as it is written.',
  },
  near_section: {
    code: 'PF038',
    meaning: 'The name of a section is misspelled; it is read as the one meant.',
  },
  missing_item_field: {
    code: 'PF039',
    meaning: 'A placeholder asks for a field that items of the inline list do not have.',
  },
  unknown_child_plan: {
    code: 'PF040',
    meaning: 'A task executes a plan that is neither in the plan folder nor registered.',
  },
  invalid_child_plan: { code: 'PF041', meaning: 'A plan that a task executes has errors.' },
  unknown_child_input: {
    code: 'PF042',
    meaning: 'A config gives a value for an input that the executed plan does not have.',
  },
  missing_child_input: {
    code: 'PF043',
    meaning: 'A config gives no value for an input that the executed plan needs.',
  },
  invalid_child_config: { code: 'PF044', meaning: 'A config cannot be handed to the executed plan.' },
  heading_depth: {
    code: 'PF050',
    meaning: 'A heading with the fields of a task has two number signs and ends the section Tasks.',
  },
  near_field: {
    code: 'PF051',
    meaning: 'A line of a field list is nearly a field: its bullet, colon or marks are missing.',
  },
} as const;

/** The name of a rule, as in `unknown_dependency`. */
export type DiagnosticRule = keyof typeof diagnosticCodes;

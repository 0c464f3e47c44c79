import {
  pageSchema,
  planDetailSchema,
  planNameSchema,
  planVersionViewSchema,
  registeredPlanSchema,
  submitByNameSchema,
  submitFieldsSchema,
  validationSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { oas31, ZodOpenApiMediaTypeObject } from 'zod-openapi';
import { planQuery, plansQuery, planVersionsQuery } from '../request/queries.ts';
import { EXAMPLE_PLAN, EXAMPLE_SHA256 } from './examples.ts';
import { jsonAnswer, type Operations } from './operation.ts';

const { name, priority } = submitFieldsSchema.shape;

/** Of a plan that is sent as `text/markdown`; with a bundle these are form fields. */
export const submissionParameters: readonly oas31.ParameterObject[] = [
  {
    in: 'query',
    name: 'name',
    description: "Name of the batch's plan instead of the one in its heading (with `text/markdown`).",
    schema: {
      type: 'string',
      minLength: name.unwrap().minLength ?? 1,
      maxLength: name.unwrap().maxLength ?? 200,
    },
  },
  {
    in: 'query',
    name: 'priority',
    description: 'From 1 to 10, higher first (with `text/markdown`).',
    schema: {
      type: 'integer',
      minimum: priority.unwrap().minValue ?? 1,
      maximum: priority.unwrap().maxValue ?? 10,
      default: 5,
    },
  },
  {
    in: 'query',
    name: 'inputs',
    description:
      "Values of the plan's inputs, each as a parameter of its own name: `?INPUT_FOLDER=/data/texts&OUTPUT_FILE=words.csv` " +
      '(with `text/markdown`).',
    style: 'form',
    explode: true,
    schema: { type: 'object', additionalProperties: { type: 'string' } },
    example: { INPUT_FOLDER: '/data/texts', OUTPUT_FILE: 'words.csv' },
  },
];

const BUNDLE: oas31.SchemaObject = {
  type: 'string',
  contentMediaType: 'application/octet-stream',
  description: 'The plan folder as a tar, gzipped or not. plan.md stands at its top.',
};

const text = (description: string): oas31.SchemaObject => ({ type: 'string', description });

/** A plan in any form. In a form every field is text; `config` and `uploads` are JSON. */
export const submissionBody: Readonly<Record<string, ZodOpenApiMediaTypeObject>> = {
  'text/markdown': { schema: text('plan.md'), example: EXAMPLE_PLAN },
  'application/json': {
    schema: submitByNameSchema,
    example: {
      plan: 'word_count',
      config: { INPUT_FOLDER: '/data/texts', OUTPUT_FILE: 'words.csv' },
      priority: 7,
    },
  },
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['bundle'],
      additionalProperties: false,
      properties: {
        bundle: BUNDLE,
        config: text('Values of inputs as a JSON object.'),
        uploads: text(
          'Inputs whose content was uploaded before (`PUT /v1/blobs/{sha256}`), as a JSON object: ' +
            '`{"INPUT_FOLDER": {"sha256": "...", "kind": "folder", "name": "invoices"}}`. A folder is a gzipped tar.',
        ),
        name: text("Name of the batch's plan instead of the one in its heading."),
        priority: text('From 1 to 10, higher first.'),
      },
    },
    example: {
      bundle: '(the bytes of plan.tgz)',
      config: '{"OUTPUT_FILE":"totals.csv"}',
      uploads: `{"INPUT_FOLDER":{"sha256":"${EXAMPLE_SHA256}","kind":"folder","name":"invoices"}}`,
    },
  },
};

export const SUBMISSION_PROBLEMS = [
  'bad_json',
  'bad_request',
  'too_large',
  'unsupported_media_type',
  'invalid',
  'invalid_bundle',
  'unknown_plan',
] as const;

const planPath = z.object({ name: planNameSchema });

export const planPageSchema = pageSchema(planVersionViewSchema);

const EXAMPLE_VERSION = {
  name: 'word_count',
  version: 2,
  digest: EXAMPLE_SHA256,
  registered_by: 'planner',
  created_at: '2026-11-22T14:20:00.000Z',
};

const EXAMPLE_INPUTS = [
  { name: 'INPUT_FOLDER', kind: 'folder', required: true, default: null },
  { name: 'OUTPUT_FILE', kind: 'output_file', required: true, default: null },
];

const EXAMPLE_DETAIL = {
  ...EXAMPLE_VERSION,
  title: 'Word Count',
  goal: 'Count the words of every text file in a folder, and write one table.',
  inputs: [
    { ...EXAMPLE_INPUTS[0], description: 'Folder with the .txt files' },
    { ...EXAMPLE_INPUTS[1], description: 'CSV file to write' },
  ],
  tasks: [
    { id: 'scan', description: 'List the files', task_class: 'cpu', depends_on: [], has_list: false },
    {
      id: 'count',
      description: 'One task per file',
      task_class: 'cpu',
      depends_on: ['scan'],
      has_list: true,
    },
    {
      id: 'merge',
      description: 'Once, after every count',
      task_class: 'cpu',
      depends_on: ['count'],
      has_list: false,
    },
  ],
  files: null,
  markdown: EXAMPLE_PLAN,
};

const REGISTERED = { ...EXAMPLE_VERSION, newest_version: 2, diagnostics: [] };
const LOCATION = { description: 'Address of the version.', schema: { type: 'string' as const } };

export const planOperations: Operations = {
  'POST /v1/plans/validate': {
    id: 'validatePlan',
    tag: 'plans',
    summary: 'Check a plan without running it',
    description:
      'Takes what a submission takes and tells every problem at once, each with its place and, where there is one, a fix. ' +
      'Inputs are checked only where some are given. A plan with errors is a good answer here (200, `valid: false`).',
    scopes: ['submit'],
    parameters: submissionParameters,
    body: submissionBody,
    answers: {
      200: jsonAnswer('What the plan is and what is wrong with it.', validationSchema, {
        valid: true,
        plan: {
          name: 'Word Count',
          tasks: ['scan', 'count', 'merge'],
          inputs: EXAMPLE_INPUTS,
        },
        diagnostics: [],
      }),
    },
    problems: SUBMISSION_PROBLEMS,
    curl: '-H "Content-Type: text/markdown" --data-binary @plan.md "$URL/v1/plans/validate"',
  },
  'PUT /v1/plans/{name}': {
    id: 'registerPlan',
    tag: 'plans',
    summary: 'Keep a plan under a name',
    description:
      'New content is a new version, numbered from 1; content that the plan has already keeps its number. ' +
      'A plan with errors is refused with all of them. Inputs are given at submission.',
    scopes: ['submit'],
    path: planPath,
    body: {
      'text/markdown': { schema: text('plan.md'), example: EXAMPLE_PLAN },
      'multipart/form-data': {
        schema: {
          type: 'object',
          required: ['bundle'],
          additionalProperties: false,
          properties: { bundle: BUNDLE },
        },
        example: { bundle: '(the bytes of plan.tgz)' },
      },
    },
    answers: {
      200: {
        ...jsonAnswer('The plan has this content already.', registeredPlanSchema, REGISTERED),
        headers: { Location: LOCATION },
      },
      201: {
        ...jsonAnswer('A new version.', registeredPlanSchema, REGISTERED),
        headers: { Location: LOCATION },
      },
    },
    problems: [
      'bad_request',
      'too_large',
      'unsupported_media_type',
      'invalid',
      'invalid_bundle',
      'invalid_plan',
    ],
    curl: '-X PUT -H "Content-Type: text/markdown" --data-binary @plan.md "$URL/v1/plans/word_count"',
  },
  'GET /v1/plans': {
    id: 'listPlans',
    tag: 'plans',
    summary: 'All registered plans, each in its newest version, by name',
    scopes: ['read'],
    query: plansQuery,
    answers: {
      200: jsonAnswer('A page of plans.', planPageSchema, { items: [EXAMPLE_VERSION], next_cursor: null }),
    },
    problems: ['invalid'],
  },
  'GET /v1/plans/{name}': {
    id: 'getPlan',
    tag: 'plans',
    summary: 'What a registered plan takes and does, with its text',
    scopes: ['read'],
    path: planPath,
    query: planQuery,
    answers: { 200: jsonAnswer('The plan.', planDetailSchema, EXAMPLE_DETAIL) },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/plans/{name}/versions': {
    id: 'listPlanVersions',
    tag: 'plans',
    summary: 'The versions of a plan, newest first',
    scopes: ['read'],
    path: planPath,
    query: planVersionsQuery,
    answers: {
      200: jsonAnswer('A page of versions.', planPageSchema, { items: [EXAMPLE_VERSION], next_cursor: null }),
    },
    problems: ['not_found', 'invalid'],
  },
};

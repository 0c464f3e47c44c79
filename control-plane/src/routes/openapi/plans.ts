import { submitFieldsSchema, validationSchema } from '@planfleet/shared-types';
import type { oas31, ZodOpenApiMediaTypeObject } from 'zod-openapi';
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

const text = (description: string): oas31.SchemaObject => ({ type: 'string', description });

/** A plan in either form. In a form every field is text; `config` and `uploads` are JSON. */
export const submissionBody: Readonly<Record<string, ZodOpenApiMediaTypeObject>> = {
  'text/markdown': { schema: text('plan.md'), example: EXAMPLE_PLAN },
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: ['bundle'],
      additionalProperties: false,
      properties: {
        bundle: {
          type: 'string',
          contentMediaType: 'application/octet-stream',
          description:
            'The plan folder as a tar, gzipped or not. plan.md stands at its top or in its only folder.',
        },
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
] as const;

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
          inputs: [
            { name: 'INPUT_FOLDER', kind: 'folder', required: true, default: null },
            { name: 'OUTPUT_FILE', kind: 'output_file', required: true, default: null },
          ],
        },
        diagnostics: [],
      }),
    },
    problems: SUBMISSION_PROBLEMS,
    curl: '-H "Content-Type: text/markdown" --data-binary @plan.md "$URL/v1/plans/validate"',
  },
};

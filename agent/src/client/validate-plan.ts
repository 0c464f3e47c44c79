import { openAsBlob } from 'node:fs';
import { type Diagnostic, type Validation as Validated, validationSchema } from '@planfleet/shared-types';
import type { ApiClient, RequestOptions } from './api-client.ts';
import { refusedDiagnostics } from './diagnostics.ts';
import type { PlanSource } from './post-submission.ts';

export type PlanInput = Validated['plan']['inputs'][number];

/** What the control plane thinks of a plan. */
export interface PlanCheck {
  readonly valid: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly plan_name: string | null;
  readonly inputs: readonly PlanInput[];
  readonly raw: unknown;
}

/**
 * Asks the control plane, which alone also knows its machines. `markdown`: a plan.md without its folder.
 * With `values` it also says which inputs are missing or unknown.
 */
export async function validatePlan(
  client: ApiClient,
  plan: { markdown: string } | PlanSource,
  values: Readonly<Record<string, string>> = {},
): Promise<PlanCheck> {
  const options = await requestOf(plan, values);
  try {
    const { raw, value } = await client.read(validationSchema, '/v1/plans/validate', options, 'POST');
    const { valid, plan, diagnostics } = value;
    return { valid, diagnostics, plan_name: plan.name === '' ? null : plan.name, inputs: plan.inputs, raw };
  } catch (error) {
    const diagnostics = refusedDiagnostics(error);
    if (diagnostics === null) throw error;
    return { valid: false, diagnostics, plan_name: null, inputs: [], raw: { valid: false, diagnostics } };
  }
}

async function requestOf(
  plan: { markdown: string } | PlanSource,
  config: Readonly<Record<string, string>>,
): Promise<RequestOptions> {
  if ('markdown' in plan) return { body: plan.markdown, headers: { 'content-type': 'text/markdown' } };
  if ('plan' in plan) {
    const body = JSON.stringify({ plan: plan.plan, version: plan.version ?? undefined, config });
    return { body, headers: { 'content-type': 'application/json' } };
  }
  const form = await bundleForm(plan.bundle);
  form.set('config', JSON.stringify(config));
  return { body: form };
}

/** Multipart with the bundle; read from disk while it is sent. */
export async function bundleForm(file: string): Promise<FormData> {
  const form = new FormData();
  form.set('bundle', await openAsBlob(file, { type: 'application/gzip' }), 'bundle.tgz');
  return form;
}

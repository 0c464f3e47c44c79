import { type Submitted, submittedSchema, type Upload } from '@planfleet/shared-types';
import type { ApiClient, RequestOptions } from './api-client.ts';
import { CliError } from './cli-error.ts';
import type { PlanName } from './plan-name.ts';
import { quoteForShell } from './quote-for-shell.ts';
import { isRetryable, retryRequest } from './retry-request.ts';
import { bundleForm } from './validate-plan.ts';

/** The bundle of a plan on this machine (a file), or the name of a registered one. */
export type PlanSource = { readonly bundle: string } | PlanName;

export interface Submission {
  readonly source: PlanSource;
  readonly config: Readonly<Record<string, string>>;
  readonly uploads: Readonly<Record<string, Upload>>;
  readonly name: string | undefined;
  readonly priority: number | undefined;
  readonly idempotency_key: string;
}

/** Submits, and once more where the answer was lost: under one key that is one batch. */
export async function postSubmission(
  client: ApiClient,
  submission: Submission,
): Promise<{ raw: unknown; submitted: Submitted; replayed: boolean }> {
  const options = await requestOf(submission);
  try {
    const { raw, value, headers } = await retryRequest(() =>
      client.read(submittedSchema, '/v1/batches', options, 'POST'),
    );
    return { raw, submitted: value, replayed: headers.get('idempotency-replayed') === 'true' };
  } catch (error) {
    if (!isRetryable(error) || !(error instanceof CliError)) throw error;
    const again = `If it was stored all the same, this makes no second batch: the same command with --idempotency-key ${quoteForShell(submission.idempotency_key)}`;
    throw new CliError(error.exit_code, error.message, {
      hint: error.hint === undefined ? again : `${error.hint}\n  ${again}`,
      cause: error,
    });
  }
}

async function requestOf(submission: Submission): Promise<RequestOptions> {
  const { source, config, uploads, name, priority, idempotency_key } = submission;
  const key = { 'idempotency-key': idempotency_key };
  if ('plan' in source) {
    const { plan, version } = source;
    // What is undefined is not written.
    const body = JSON.stringify({ plan, version: version ?? undefined, config, uploads, name, priority });
    return { body, headers: { ...key, 'content-type': 'application/json' } };
  }
  const form = await bundleForm(source.bundle);
  form.set('config', JSON.stringify(config));
  form.set('uploads', JSON.stringify(uploads));
  if (name !== undefined) form.set('name', name);
  if (priority !== undefined) form.set('priority', String(priority));
  return { body: form, headers: key };
}

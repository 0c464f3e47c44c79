import { taskDefaults } from '@planfleet/shared-types';
import type { HonoRequest } from 'hono';
import type { Deps } from '../../deps.ts';
import { invalid } from '../request/parse-input.ts';
import type { AskedPlan } from './read-submission.ts';

/** The key under which a submission may be repeated; null: it has none. */
export function readIdempotencyKey(request: HonoRequest): string | null {
  const key = request.header('idempotency-key');
  if (key === undefined) return null;
  if (/^[\x20-\x7e]{1,200}$/.test(key)) return key;
  throw invalid([{ path: 'Idempotency-Key', message: 'A key is 1 to 200 printable ASCII characters.' }]);
}

/**
 * sha256 of what is asked for. A plan that is named counts as it is named: that a newer version was registered since
 * must not make another submission of a repeated one.
 */
export function digestSubmission(deps: Pick<Deps, 'sha256'>, asked: AskedPlan): Promise<string> {
  const { name = null, priority = taskDefaults.priority, config, uploads } = asked.fields;
  const plan =
    asked.kind === 'sent' ? { digest: asked.digest } : { name: asked.name, version: asked.version };
  const sent = sorted(uploads).map(([input, upload]) => [input, upload.kind, upload.sha256, upload.name]);
  const content = JSON.stringify({ plan, name, priority, config: sorted(config), uploads: sent });
  return deps.sha256(new TextEncoder().encode(content));
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}

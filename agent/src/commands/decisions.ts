import { setTimeout as delay } from 'node:timers/promises';
import { DECISION_TYPES, type DecisionView, decisionViewSchema } from '@planfleet/shared-types';
import { type ApiClient, isAbort } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { type Paint, paintState } from '../client/paint.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { isRetryable } from '../client/retry-request.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface DecisionsOptions extends ServerOptions {
  follow?: boolean;
  type?: string;
  limit: number;
}

/** A follower is under a second behind, and one read by an index is what each look costs. */
const LOOK_AGAIN_MS = 500;
const PAGE = 500;

/** One decision a line, oldest first; with `--json` one JSON object a line. */
export async function decisions(
  batchId: string | undefined,
  options: DecisionsOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const { type } = options;
  if (type !== undefined && !DECISION_TYPES.some((each) => each === type))
    throw usageError(`--type: there is no type "${type}"`, `The types: ${DECISION_TYPES.join(', ')}.`);
  if (batchId !== undefined) batchPath(batchId);
  const client = await connect(options, terminal);
  const query = { batch: batchId, type };
  const print = (decision: DecisionView) =>
    options.json ? printJson(terminal, decision) : terminal.out(formatDecision(decision, terminal.paint));
  const newest = await readNewest(client, query, options.limit);
  for (const decision of newest) print(decision);
  if (options.follow === true) await follow(client, query, newest.at(-1)?.id ?? 0, print, terminal);
  else if (newest.length === 0 && !options.json) terminal.err('No such decisions.');
  return EXIT.done;
}

interface Query {
  readonly batch: string | undefined;
  readonly type: string | undefined;
}

async function readNewest(client: ApiClient, query: Query, limit: number): Promise<DecisionView[]> {
  const found: DecisionView[] = [];
  for await (const page of readPages(client, decisionViewSchema, '/v1/decisions', {
    ...query,
    limit: Math.min(PAGE, limit),
  })) {
    found.push(...page.value.items);
    if (found.length >= limit) break;
  }
  return found.slice(0, limit).reverse();
}

/** Until Ctrl-C; outlives any outage. */
async function follow(
  client: ApiClient,
  query: Query,
  since: number,
  print: (decision: DecisionView) => void,
  terminal: Terminal,
): Promise<void> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  let after = since;
  let away = false;
  try {
    while (!stop.signal.aborted) {
      try {
        const pages = readPages(
          client,
          decisionViewSchema,
          '/v1/decisions',
          { ...query, after, limit: PAGE },
          stop.signal,
        );
        for await (const page of pages)
          for (const decision of page.value.items) {
            print(decision);
            after = decision.id;
          }
        if (away) terminal.err('The control plane answers again.');
        away = false;
      } catch (error) {
        if (stop.signal.aborted && isAbort(error)) return;
        if (!isRetryable(error)) throw error;
        if (!away) terminal.err('The control plane does not answer; trying again until it does.');
        away = true;
      }
      await delay(LOOK_AGAIN_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function formatDecision({ at, type, message }: DecisionView, paint: Paint): string {
  return `${paint.dim(at)} ${paintState(paint, COLOURS[type] ?? '', type.padEnd(15))} ${printableLine(message, 1_000)}`;
}

/** The state whose colour a type takes. */
const COLOURS: Readonly<Record<string, string>> = {
  ABANDON: 'abandoned',
  BATCH_FAILED: 'failed',
  BATCH_COMPLETE: 'succeeded',
  AGENT_MISSING: 'missing',
  AGENT_BACK: 'connected',
  RETRY: 'backoff',
  LEASE_LOST: 'backoff',
};

import { agentViewSchema, type BatchView, batchViewSchema, pageSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { namedOutputs } from '../client/download-outputs.ts';
import { formatCounts, formatStage, hasEnded, stateWord } from '../client/format-progress.ts';
import { formatTable } from '../client/format-table.ts';
import { paintState } from '../client/paint.ts';
import { formatDuration } from '../client/parse-duration.ts';
import { printableLine } from '../client/printable-text.ts';
import { readStages } from '../client/read-stages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';
import { followBatch } from './follow-batch.ts';

/** Enough for a screen; the API pages through the rest. */
const SHOWN_BATCHES = 20;

export async function status(
  batchId: string | undefined,
  options: ServerOptions & { watch?: boolean; output?: string[] },
  terminal: Terminal,
): Promise<ExitCode> {
  const outputs = namedOutputs(options.output ?? [], terminal.cwd);
  if (outputs.length > 0 && options.watch !== true)
    throw usageError('--output needs --watch', 'planfleet watch BATCH -o NAME=PATH');
  if (batchId === undefined) {
    if (options.watch === true) throw usageError('--watch needs a batch', 'planfleet watch BATCH');
    await showFleet(await connect(options, terminal), options, terminal);
    return EXIT.done;
  }
  batchPath(batchId);
  const client = await connect(options, terminal);
  if (options.watch === true)
    return followBatch({ client, batch_id: batchId, outputs, json: options.json === true, terminal });
  await showBatch(client, batchId, options, terminal);
  return EXIT.done;
}

async function showFleet(client: ApiClient, options: ServerOptions, terminal: Terminal): Promise<void> {
  const { paint } = terminal;
  const batches = await client.read(pageSchema(batchViewSchema), '/v1/batches', {
    query: { limit: SHOWN_BATCHES },
  });
  const { raw: rawAgents, value: agents } = await client.read(pageSchema(agentViewSchema), '/v1/agents');
  if (options.json)
    return printJson(terminal, {
      ...(batches.raw as object),
      agents: (rawAgents as { items: unknown[] }).items,
    });
  if (batches.value.items.length === 0)
    terminal.out('No batches yet. Submit one: planfleet submit DIR --watch');
  for (const line of formatTable(
    batches.value.items.map((batch) => [
      batch.id,
      [batch.state, paintState(paint, batch.state)],
      printableLine(batch.plan_name, 40),
      formatCounts(batch) + (batch.parent ? `, child of ${batch.parent}` : ''),
    ]),
  ))
    terminal.out(line);
  terminal.out('');
  if (agents.items.length === 0) terminal.out('No agents. Add this machine: planfleet agent');
  for (const line of formatTable(
    agents.items.map((agent) => [
      agent.name,
      [agent.state, paintState(paint, agent.state)],
      `${agent.leased} of ${agent.slots} slots used`,
      agent.labels.map((label) => printableLine(label, 40)).join(','),
    ]),
  ))
    terminal.out(line);
}

async function showBatch(
  client: ApiClient,
  batchId: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<void> {
  const { raw, value: batch } = await client.read(batchViewSchema, batchPath(batchId));
  const { stages, raw: rawStages } = await readStages(client, batchId);
  if (options.json) {
    // Both answers as they are, in the one line that a program expects.
    return printJson(terminal, { ...(raw as object), stages: rawStages });
  }
  terminal.out(describe(batch, terminal));
  if (batch.parent) terminal.out(`  child of ${batch.parent}`);
  const ended = hasEnded(batch);
  const toCell = (state: string) =>
    [stateWord(state, ended), paintState(terminal.paint, state, stateWord(state, ended))] as const;
  for (const line of formatTable(
    stages.map((stage) => [
      `  ${stage.key}`,
      toCell(stage.state),
      formatStage(stage, ended).slice(stage.key.length + 1),
    ]),
  ))
    terminal.out(line);
  if (batch.abandoned > 0) terminal.out(`What failed: planfleet tasks ${batchId} --state abandoned`);
}

function describe(batch: BatchView, { paint }: Terminal): string {
  const end = batch.finished_at === null ? Date.now() : Date.parse(batch.finished_at);
  const took = formatDuration(end - Date.parse(batch.created_at));
  const state = paintState(paint, batch.state);
  const name = printableLine(batch.plan_name, 80);
  return `${paint.bold(batch.id)} ${name} ${state} ${batch.finished_at === null ? 'for' : 'in'} ${took}: ${formatCounts(batch)}`;
}

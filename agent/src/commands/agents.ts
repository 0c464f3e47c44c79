import { type AgentDetail, agentDetailSchema, agentViewSchema } from '@planfleet/shared-types';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { formatTable } from '../client/format-table.ts';
import { paintState } from '../client/paint.ts';
import { formatDuration } from '../client/parse-duration.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';
import { agentPath } from './drain-agent.ts';

/** All machines, or one with what it runs. */
export async function agents(
  name: string | undefined,
  options: ServerOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = name === undefined ? '/v1/agents' : agentPath(name);
  const client = await connect(options, terminal);
  if (name !== undefined) {
    const { raw, value } = await client.read(agentDetailSchema, path);
    if (options.json) printJson(terminal, raw);
    else for (const line of describeAgent(value, terminal)) terminal.out(line);
    return EXIT.done;
  }
  let shown = 0;
  for await (const page of readPages(client, agentViewSchema, path)) {
    shown += page.value.items.length;
    if (options.json) printJson(terminal, page.raw);
    else
      for (const line of formatTable(page.value.items.map((agent) => row(agent, terminal))))
        terminal.out(line);
  }
  if (shown === 0 && !options.json) terminal.err('No agents. Add this machine: planfleet agent');
  return EXIT.done;
}

type Agent = Pick<AgentDetail, 'name' | 'state' | 'slots' | 'leased' | 'labels' | 'last_seen_at'>;

function row({ name, state, slots, leased, labels, last_seen_at }: Agent, { paint }: Terminal) {
  return [
    name,
    [state, paintState(paint, state)] as const,
    `${leased} of ${slots} slots used`,
    labels.map((label) => printableLine(label, 40)).join(','),
    `seen ${formatDuration(Math.max(0, Date.now() - Date.parse(last_seen_at)))} ago`,
  ];
}

function describeAgent(agent: AgentDetail, terminal: Terminal): string[] {
  const lines = formatTable([row(agent, terminal)]);
  lines.push(
    `  host     ${printableLine(agent.hostname)}, planfleet ${printableLine(agent.version)}`,
    `  storage  ${printableLine(agent.storage)}`,
  );
  if (agent.draining_since !== null) lines.push(`  draining since ${agent.draining_since}`);
  const tasks = agent.tasks.map(({ task, attempt, since, signal }) => [
    `  ${task}`,
    `attempt ${attempt}`,
    `since ${since}`,
    signal === null ? '' : `told to ${signal}`,
  ]);
  return [...lines, ...formatTable(tasks)];
}

import {
  type AgentVerdict,
  type BatchExplanation,
  batchExplanationSchema,
  type Reason,
  type TaskExplanation,
  taskExplanationSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import { batchPath, namesTask, taskPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { stateWord } from '../client/format-progress.ts';
import { paintState } from '../client/paint.ts';
import { printableLine } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

const answerSchema = z.union([taskExplanationSchema, batchExplanationSchema]);

/** Why a task does not run, or which stages of a batch do not move and why. */
export async function explain(id: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const path = namesTask(id) ? taskPath(id, '/explain') : batchPath(id, '/explain');
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(answerSchema, path);
  if (options.json) printJson(terminal, raw);
  else
    for (const line of 'task' in value ? describeTask(value, terminal) : describeBatch(value, terminal))
      terminal.out(line);
  return EXIT.done;
}

function describeTask({ task, state, reasons, agents }: TaskExplanation, { paint }: Terminal): string[] {
  const shown = state === null ? 'not made yet' : paintState(paint, state);
  return [`${paint.bold(task)} ${shown}`, ...describeReasons(reasons, '  '), ...describeAgents(agents, '  ')];
}

function describeBatch(
  { batch_id, state, reasons, stages }: BatchExplanation,
  { paint }: Terminal,
): string[] {
  const lines = [`${paint.bold(batch_id)} ${paintState(paint, state)}`, ...describeReasons(reasons, '  ')];
  if (stages.length === 0 && reasons.length === 0) lines.push('  Every stage moves.');
  const ended = state === 'succeeded' || state === 'failed' || state === 'cancelled';
  for (const stage of stages)
    lines.push(
      `  ${stage.stage} ${paintState(paint, stage.state, stateWord(stage.state, ended))}`,
      ...describeReasons(stage.reasons, '    '),
      ...describeAgents(stage.agents, '    '),
    );
  return lines;
}

function describeReasons(reasons: readonly Reason[], indent: string): string[] {
  return reasons.map(({ message }) => `${indent}${printableLine(message, 1_000)}`);
}

/** A fleet of hundreds says the same many times: as many as fit a screen. */
const SHOWN_AGENTS = 20;

function describeAgents(agents: readonly AgentVerdict[], indent: string): string[] {
  const lines = agents.slice(0, SHOWN_AGENTS).map(({ agent, reasons }) => {
    const why = reasons.map(({ message }) => message).join('; ') || 'may take it';
    return `${indent}agent ${agent}: ${printableLine(why, 500)}`;
  });
  const more = agents.length - lines.length;
  return more > 0 ? [...lines, `${indent}and ${more} more agents (--json has all)`] : lines;
}

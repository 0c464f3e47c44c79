import type { AgentVerdict, Reason, StageExplanation } from '@planfleet/shared-types';
import type { BatchFacts, StageAhead, StageFacts } from '../../store/queries/read-facts.ts';
import { explainAgents } from './explain-agents.ts';
import { countText, durationText, timeText } from './explain-text.ts';

/** What holds up everything in a batch. */
export function explainBatchState({ batch_id, state }: Pick<BatchFacts, 'batch_id' | 'state'>): Reason[] {
  if (state === 'active') return [];
  if (state === 'paused')
    return [
      { code: 'batch_paused', message: `The batch is paused; planfleet resume ${batch_id} lets it go on.` },
    ];
  if (state === 'cancelling')
    return [{ code: 'batch_cancelling', message: 'The batch is being cancelled; its last processes end.' }];
  const again = state === 'failed' ? `; planfleet retry ${batch_id} tries again what was abandoned` : '';
  return [{ code: 'batch_ended', message: `The batch has ended: ${state}${again}.` }];
}

/** What a stage waits for before any of its tasks may be claimed. */
export function explainGate(stage: StageFacts): Reason[] {
  const reasons = stage.state === 'waiting' ? stage.ahead.map(explainAhead) : [];
  return [...reasons, ...explainList(stage)];
}

/** The list that its tasks are made from, as far as it is not. */
export function explainList({ list, expanded }: StageFacts): Reason[] {
  if (list === null || expanded) return [];
  if (list.count !== null)
    return [
      {
        code: 'not_expanded',
        message: `Its list is being made into tasks: ${list.cursor} of ${countText(list.count, 'item')} so far.`,
      },
    ];
  return [
    {
      code: 'list_unknown',
      message: `Its list ${list.path ?? ''} is not written yet; stage ${list.producer ?? '?'} writes it.`,
    },
  ];
}

function explainAhead(ahead: StageAhead): Reason {
  if (ahead.state === 'failed' || ahead.state === 'cancelled')
    return {
      code: 'stage_failed',
      message: `It depends on stage ${ahead.key}, which ${ahead.state === 'failed' ? `failed: ${lossText(ahead)}` : 'was cancelled'}.`,
    };
  const total = ahead.expanded ? `${ahead.total}` : `${ahead.total} or more`;
  const running = ahead.leased > 0 ? `, ${ahead.leased} running` : '';
  return {
    code: 'waits_for_stage',
    message: `It waits for stage ${ahead.key}: ${ahead.succeeded} of ${total} tasks succeeded${running}.`,
  };
}

/** What a failed stage has lost; a stage may fail for want of others alone. */
function lossText({ abandoned, skipped }: Pick<StageAhead, 'abandoned' | 'skipped'>): string {
  const parts = abandoned > 0 || skipped === 0 ? [`${countText(abandoned, 'task')} abandoned`] : [];
  if (skipped > 0)
    parts.push(`${parts.length > 0 ? skipped : countText(skipped, 'task')} skipped for want of others`);
  return parts.join(', ');
}

/** Why ready tasks of an open stage are not taken: their turn, and the fleet. */
export function explainReady(
  stage: StageFacts,
  facts: Pick<BatchFacts, 'agents' | 'now'>,
): { reasons: Reason[]; agents: AgentVerdict[] } {
  if (stage.task_class === 'execute_plan')
    return {
      reasons: [{ code: 'turn', message: 'It is ready; its child batch is started at any moment.' }],
      agents: [],
    };
  const agents = explainAgents(stage, facts.agents, facts.now);
  const reasons: Reason[] = [];
  if (stage.ready_before > 0)
    reasons.push({
      code: 'behind_priority',
      message: `${countText(stage.ready_before, 'ready task')} of higher priority ${stage.ready_before === 1 ? 'comes' : 'come'} first.`,
    });
  const gone = agents.filter(({ reasons }) => reasons.some(({ code }) => code === 'missing'));
  if (gone.length === agents.length)
    reasons.unshift({
      code: 'no_agent',
      message:
        agents.length === 0
          ? 'No agent has ever connected; `planfleet agent` adds a machine.'
          : 'No agent is connected.',
    });
  else if (!agents.some(isSuitable))
    reasons.unshift({ code: 'no_agent_fits', message: 'No agent that is connected may take it.' });
  else if (reasons.length === 0)
    reasons.push({
      code: 'turn',
      message: agents.some(({ reasons }) => reasons.length === 0)
        ? `It is ready${stage.ready > 1 ? `, with ${countText(stage.ready - 1, 'other')} of its stage,` : ''} and will be taken at any moment.`
        : 'It is ready and waits for a free slot.',
    });
  return { reasons, agents };
}

/** It would take the task, now or as soon as a slot is free. */
function isSuitable({ reasons }: AgentVerdict): boolean {
  return reasons.every(({ code }) => code === 'slots_full');
}

/** A stage that does not move; null: it does, or it has ended well. */
export function explainStage(stage: StageFacts, facts: BatchFacts): StageExplanation | null {
  const { key, state } = stage;
  if (state === 'done' || stage.leased > 0) return null;
  if (state === 'failed' || state === 'cancelled')
    return { stage: key, state, reasons: [explainEnd(stage)], agents: [] };
  const reasons = explainGate(stage);
  if (state === 'open' && stage.backoff > 0 && stage.retry_at !== null)
    reasons.push({
      code: 'backoff',
      message: `${countText(stage.backoff, 'task')} failed and will be tried again, the first at ${timeText(stage.retry_at)} (in ${durationText(stage.retry_at - facts.now)}).`,
    });
  if (state !== 'open' || stage.ready === 0 || facts.state !== 'active') {
    // Never a stage without a reason: a paused batch holds back what is ready.
    if (state === 'open' && stage.ready > 0 && (facts.state === 'paused' || facts.state === 'cancelling'))
      reasons.push({
        code: facts.state === 'paused' ? 'batch_paused' : 'batch_cancelling',
        message: `${countText(stage.ready, 'task')} ${stage.ready === 1 ? 'is' : 'are'} ready and held back while the batch is ${facts.state}.`,
      });
    if (reasons.length === 0 && stage.waiting > 0)
      reasons.push({
        code: 'waits_for_task',
        message:
          stage.waiting === 1
            ? '1 task waits for the tasks of its items in the stages before.'
            : `${stage.waiting} tasks wait for the tasks of their items in the stages before.`,
      });
    return { stage: key, state, reasons, agents: [] };
  }
  const ready = explainReady(stage, facts);
  return { stage: key, state, reasons: [...ready.reasons, ...reasons], agents: ready.agents };
}

function explainEnd({ state, abandoned, skipped }: StageFacts): Reason {
  if (state === 'cancelled') return { code: 'cancelled', message: 'It was cancelled.' };
  return { code: 'abandoned', message: `It failed: ${lossText({ abandoned, skipped })}.` };
}

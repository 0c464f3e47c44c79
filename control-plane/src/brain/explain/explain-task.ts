import { formatTaskId, type Reason, type TaskAddress, type TaskExplanation } from '@planfleet/shared-types';
import type { BatchFacts, StageFacts, TaskFacts } from '../../store/queries/read-facts.ts';
import { explainBatchState, explainGate, explainList, explainReady } from './explain-stage.ts';
import { countText, durationText, sinceText, timeText } from './explain-text.ts';

/** Why a task does not run, where it runs, or how it ended: a function of the facts that claiming uses. */
export function explainTask(
  address: TaskAddress,
  facts: BatchFacts,
  stage: StageFacts,
  task: TaskFacts | null,
): TaskExplanation {
  const id = formatTaskId(address);
  if (task === null) {
    const reasons = [...explainBatchState(facts), ...explainList(stage)];
    return { task: id, state: null, reasons, agents: [] };
  }
  if (task.state === 'ready' && stage.state === 'open' && facts.state === 'active')
    return { task: id, state: 'ready', ...explainReady(stage, facts) };
  const state = task.state === 'ready' && stage.state !== 'open' ? 'waiting' : task.state;
  return { task: id, state, reasons: explainState(facts, stage, task), agents: [] };
}

function explainState(facts: BatchFacts, stage: StageFacts, task: TaskFacts): Reason[] {
  switch (task.state) {
    case 'ready':
      return [...explainBatchState(facts), ...explainGate(stage)];
    case 'waiting':
      return [...explainBatchState(facts), ...explainGate(stage), ...explainAbove(task)];
    case 'backoff':
      return [...explainBatchState(facts), explainBackoff(facts, stage, task)];
    case 'leased':
      return explainRunning(facts, task);
    default:
      return [explainEnd(facts, stage, task)];
  }
}

function explainAbove({ above, above_count }: TaskFacts): Reason[] {
  const reasons = above.map(({ key, ordinal, state }): Reason => {
    const isLost = state === 'abandoned' || state === 'skipped' || state === 'cancelled';
    return {
      code: isLost ? 'task_lost' : 'waits_for_task',
      message: isLost
        ? `It needs ${key}:${ordinal}, which is ${state}.`
        : `It waits for ${key}:${ordinal}, which is ${state === 'leased' ? 'running' : state}.`,
    };
  });
  const more = above_count - above.length;
  if (more > 0)
    reasons.push({
      code: 'waits_for_task',
      message: `And for ${countText(more, 'other task')} of its items.`,
    });
  return reasons;
}

function explainBackoff({ now }: BatchFacts, stage: StageFacts, task: TaskFacts): Reason {
  const at = task.not_before ?? now;
  const when = at > now ? `not before ${timeText(at)} (in ${durationText(at - now)})` : 'now';
  const last = task.last?.message ?? null;
  return {
    code: 'backoff',
    message: `Try ${task.tries} of ${stage.max_attempts} failed; it is tried again ${when}.${last === null ? '' : ` The last error: ${last}`}`,
  };
}

function explainRunning({ now }: BatchFacts, task: TaskFacts): Reason[] {
  if (typeof task.child === 'string') {
    const message = `Attempt ${task.attempt} is the child batch ${task.child}, which is ${task.child_state}; planfleet explain ${task.child} says what that waits for.`;
    return [{ code: 'running', message }];
  }
  const seen = task.agent_seen_at ?? now;
  const reasons: Reason[] = [
    {
      code: 'running',
      message: `Attempt ${task.attempt} runs on ${task.agent ?? '?'} ${sinceText(task.leased_at ?? now, now)}; the agent was heard of ${durationText(now - seen)} ago.`,
    },
  ];
  if (task.signal !== null)
    reasons.unshift({
      code: 'signalled',
      message: `${task.agent ?? '?'} was told to ${task.signal} it and has not said yet that its processes are gone.`,
    });
  return reasons;
}

function explainEnd({ batch_id }: BatchFacts, stage: StageFacts, task: TaskFacts): Reason {
  const { last } = task;
  const where = last === null ? '' : ` on ${last.agent} at ${timeText(last.ended_at)}`;
  switch (task.state) {
    case 'succeeded':
      return { code: 'succeeded', message: `It succeeded with attempt ${task.attempt}${where}.` };
    case 'abandoned': {
      const why = last?.message == null ? '' : `: ${last.message}`;
      const id = `${batch_id}:${stage.key}:${task.ordinal}`;
      return {
        code: 'abandoned',
        message: `It was given up after ${countText(task.attempt, 'attempt')}, the last${where}${why} (planfleet retry ${id} tries it again)`,
      };
    }
    case 'skipped': {
      const lost = task.above.filter(({ state }) => state === 'abandoned' || state === 'skipped');
      const names = lost.map(({ key, ordinal, state }) => `${key}:${ordinal} (${state})`).join(', ');
      return { code: 'skipped', message: `It was skipped for want of ${names || 'what it depends on'}.` };
    }
    default:
      return { code: 'cancelled', message: 'It was cancelled with its batch.' };
  }
}

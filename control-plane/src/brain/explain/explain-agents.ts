import type { AgentReason, AgentVerdict } from '@planfleet/shared-types';
import type { AgentFacts, StageFacts } from '../../store/queries/read-facts.ts';
import { sinceText } from './explain-text.ts';

/** For each agent every reason why it does not take a ready task of this stage. */
export function explainAgents(stage: StageFacts, agents: readonly AgentFacts[], now: number): AgentVerdict[] {
  return agents.map((agent) => ({ agent: agent.name, reasons: explainAgent(stage, agent, now) }));
}

function explainAgent(stage: StageFacts, agent: AgentFacts, now: number): AgentReason[] {
  const reasons: AgentReason[] = [];
  if (agent.expires_at === null || agent.expires_at <= now)
    reasons.push({ code: 'missing', message: `missing ${sinceText(agent.last_seen_at, now)}` });
  if (agent.draining_at !== null)
    reasons.push({
      code: 'draining',
      message: `draining ${sinceText(agent.draining_at, now)}; planfleet agents resume ${agent.name} ends that`,
    });
  if (!stage.is_cpu) reasons.push({ code: 'class', message: `takes no tasks of class ${stage.task_class}` });
  const missing = stage.labels.filter((label) => !agent.labels.includes(label));
  if (missing.length > 0)
    reasons.push({
      code: 'labels_missing',
      message: `has not the ${missing.length === 1 ? 'label' : 'labels'} ${missing.join(', ')}`,
    });
  if (stage.storage !== null && stage.storage !== agent.storage)
    reasons.push({
      code: 'other_storage',
      message: "the batch's files are on the storage of another machine, where its first task ran",
    });
  if (agent.leased >= agent.slots)
    reasons.push({ code: 'slots_full', message: `slots full (${agent.leased} of ${agent.slots})` });
  return reasons;
}

import type { BatchExplanation } from '@planfleet/shared-types';
import type { BatchFacts } from '../../store/queries/read-facts.ts';
import { explainBatchState, explainStage } from './explain-stage.ts';

/** Why the stages of a batch that do not move do not. */
export function explainBatch(facts: BatchFacts): BatchExplanation {
  return {
    batch_id: facts.batch_id,
    state: facts.state,
    reasons: explainBatchState(facts),
    stages: facts.stages.flatMap((stage) => explainStage(stage, facts) ?? []),
  };
}

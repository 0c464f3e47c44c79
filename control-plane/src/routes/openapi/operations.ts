import { agentOperations } from './agents.ts';
import { batchOperations } from './batches.ts';
import { blobOperations } from './blobs.ts';
import { decisionOperations } from './decisions.ts';
import { operateOperations } from './operate.ts';
import type { Operations } from './operation.ts';
import { planOperations } from './plans.ts';
import { systemOperations } from './system.ts';
import { taskOperations } from './tasks.ts';
import { tokenOperations } from './tokens.ts';

/** Every route of the control plane. A test compares them with the app's own. */
export const operations: Operations = {
  ...planOperations,
  ...batchOperations,
  ...taskOperations,
  ...agentOperations,
  ...decisionOperations,
  ...blobOperations,
  ...tokenOperations,
  ...operateOperations,
  ...systemOperations,
};

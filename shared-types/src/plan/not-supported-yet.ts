import type { TaskType } from './plan.ts';

/** What this version reads and checks but does not act on. Remove an entry when it does. */
export const unsupportedTypes: readonly TaskType[] = ['generate', 'parse', 'decide', 'meta'];

interface UnsupportedField {
  readonly field: string;
  readonly effect: string;
}

export const unsupportedFields: readonly UnsupportedField[] = [
  { field: 'llm_model', effect: 'The task runs without a model server being loaded for it.' },
  { field: 'llm_min_tier', effect: 'The task runs without a model server being loaded for it.' },
  { field: 'llm_placement', effect: 'The task runs without a model server being loaded for it.' },
  { field: 'vram_policy', effect: 'The estimate counts as it is written.' },
  { field: 'gpus', effect: 'The task gets one GPU.' },
  { field: 'evaluate', effect: 'The output is not rated.' },
  { field: 'requires', effect: 'All files of the batch are fetched.' },
  { field: 'stuck_after', effect: 'The usual time without a sign of life applies.' },
];

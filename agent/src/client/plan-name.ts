import { planNameSchema } from '@planfleet/shared-types';
import { usageError } from './cli-error.ts';

/** A registered plan; `version` null: the newest one. */
export interface PlanName {
  readonly plan: string;
  readonly version: number | null;
}

/** Reads `NAME`, or `NAME@VERSION`; what cannot be a plan is told without asking. */
export function parsePlanName(text: string): PlanName {
  const [name = '', version, ...rest] = text.split('@');
  if (!planNameSchema.safeParse(name).success)
    throw usageError(
      `"${text}" is not the name of a registered plan`,
      'It is letters, digits, dots, dashes and underscores; `planfleet plan list` says which there are.',
    );
  if (version === undefined) return { plan: name, version: null };
  if (rest.length > 0 || !/^[1-9]\d{0,8}$/.test(version))
    throw usageError(`${text}: a version is a number from 1`, `Write it like ${name}@2.`);
  return { plan: name, version: Number(version) };
}

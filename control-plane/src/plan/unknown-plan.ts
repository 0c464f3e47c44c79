import { ApiError, findNearestName } from '@planfleet/shared-types';

/** What to say of a plan that is not registered: the name that was probably meant, among the `known` ones. */
export function unknownPlan(name: string, known: readonly string[]): ApiError {
  const suggest = findNearestName(name, known);
  const hint =
    suggest === undefined
      ? 'GET /v1/plans (planfleet plan list) says which there are; PUT /v1/plans/NAME (planfleet plan register) adds one.'
      : `Did you mean ${suggest}?`;
  const details = { plan: name, ...(suggest === undefined ? {} : { suggest }) };
  return new ApiError('unknown_plan', `No plan is registered as ${name}.`, { hint, details });
}

/** The plan is there, this version of it is not. */
export function unknownVersion(name: string, version: number, newest: number): ApiError {
  return new ApiError('unknown_plan', `The plan ${name} has no version ${version}.`, {
    hint: `Its newest version is ${newest}; without a version that one is meant.`,
    details: { plan: name, version, newest_version: newest },
  });
}

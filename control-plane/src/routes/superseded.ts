import { ApiError } from '@planfleet/shared-types';

export function superseded(agent: string): ApiError {
  return new ApiError('session_superseded', `Another process has registered as ${agent} since.`, {
    hint: 'If both are meant to run, give one of them another --name.',
  });
}

export * from './errors.ts';
export * from './ids.ts';
export * from './wire/agent.ts';
export * from './wire/batch.ts';
export * from './wire/problem.ts';
export * from './wire/token.ts';

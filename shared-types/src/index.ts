export { checkCommandSyntax } from './template/check-command-syntax.ts';
export type { CommandProblem, QuotingContext } from './template/command-parts.ts';
export { findPlaceholders, type Placeholder } from './template/find-placeholders.ts';
export { builtinVariables, type TemplateValues } from './template/lookup-value.ts';
export { renderCommand } from './template/render-command.ts';
export { renderText } from './template/render-text.ts';
export { TemplateError, type TemplateErrorCode } from './template/template-error.ts';
export { parsePlan } from './plan/parse-plan.ts';
export * from './plan/plan.ts';

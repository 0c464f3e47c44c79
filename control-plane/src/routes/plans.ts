import { type Validation, validatePlan } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { readSubmission } from './submission/read-submission.ts';

export function planRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  // Takes what a submission takes. Inputs are checked only where some are given: an author has none yet.
  app.post('/validate', requireScope(deps, 'submit'), async (c) => {
    const { markdown, files, fields } = await readSubmission(c.req, deps.settings);
    const inputs = { ...namesOf(fields.uploads), ...fields.config };
    const { plan, diagnostics } = validatePlan(markdown, {
      ...(files === null ? {} : { files }),
      ...(Object.keys(inputs).length === 0 ? {} : { inputs, travelling: Object.keys(fields.uploads) }),
    });
    const validation: Validation = {
      valid: !diagnostics.some((diagnostic) => diagnostic.severity === 'error'),
      plan: {
        name: plan.name,
        tasks: plan.tasks.map((task) => task.id),
        inputs: plan.inputs.map(({ name, kind, required, default: value }) => ({
          name,
          kind,
          required,
          default: value,
        })),
      },
      diagnostics,
    };
    return c.json(validation);
  });

  return app;
}

function namesOf(uploads: Readonly<Record<string, { name: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(uploads).map(([input, upload]) => [input, upload.name]));
}

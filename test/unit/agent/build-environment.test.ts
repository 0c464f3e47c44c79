import { expect, test } from 'vitest';
import { inheritedEnvironment } from '../../../agent/src/exec/build-environment.ts';

test('a task inherits the machine, not the secrets of the agent nor what npm added', () => {
  const env = inheritedEnvironment({
    HOME: '/home/u',
    NPM_TOKEN: 'the user set it',
    npm_config_prefix: '/clone',
    npm_lifecycle_event: 'npx',
    INIT_CWD: '/clone',
    PLANFLEET_TOKEN: 't',
    PLANFLEET_SIGNING_KEY: 'k',
    PLANFLEET_ANYTHING: 'x',
    PATH: '/clone/node_modules/.bin:/node_modules/.bin:/usr/lib/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin:/usr/bin:/opt/node_modules/.bin.d:/bin',
  });
  expect(env).toEqual({
    HOME: '/home/u',
    NPM_TOKEN: 'the user set it',
    PATH: '/usr/bin:/opt/node_modules/.bin.d:/bin',
  });
});

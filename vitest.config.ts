import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: process.env['SKIP_BUILD'] ? [] : ['test/support/build-once.ts'],
    // Files run beside each other; most of the end-to-end files wait for processes, not for the CPU.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

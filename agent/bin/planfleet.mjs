#!/usr/bin/env node
try {
  await import('../dist/main.js');
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/main.js')) throw error;
  console.error('error: planfleet is not built yet\n  hint: run `npm ci` (or `npm run build`) in the clone');
  process.exitCode = 2;
}

import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['source'] },
  // Vitest hands these to Node's own resolver too, also for `require`: never 'import' here.
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    include: ['libs/**/*.test.ts', 'services/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'dist/**'],
    globalSetup: ['scripts/vitest-servers.ts'],
    reporters: ['default', './scripts/count-reporter.ts'],
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000, interval: 20 } },
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});

import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that start, stop and kill processes of their own: one file after the other, when the rest is done. */
const withProcesses = [
  'services/all-in-one/test/{roaming,split,via-hub}.test.ts',
  'services/ocpi-gateway/test/replicas.test.ts',
  'services/portal/test/restart.test.ts',
  'libs/bus/test/torture.test.ts',
  'libs/event-store/test/several-processes.test.ts',
  'libs/servers/**/*.test.ts',
  'scripts/torture.test.ts',
];

const shared = {
  exclude: [...configDefaults.exclude, 'dist/**'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 20_000, interval: 20 } },
};

export default defineConfig({
  resolve: { conditions: ['source'] },
  // Vitest hands these to Node's own resolver too, also for `require`: never 'import' here.
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    globalSetup: ['scripts/vitest-servers.ts'],
    reporters: ['default', './scripts/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...shared,
          name: 'parts',
          include: ['libs/**/*.test.ts', 'services/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...shared.exclude, ...withProcesses],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { ...shared, name: 'processes', include: withProcesses, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});

import { configDefaults, defineConfig } from 'vitest/config';

/** Tests of platforms as processes, and tests that start, stop and kill others of their own: a worker for each file. */
const withProcesses = [
  'services/all-in-one/test/{cards,charging-profiles,erasure,reservations,roaming,split,via-hub}.test.ts',
  'services/ocpi-gateway/test/replicas.test.ts',
  'libs/bus/test/torture.test.ts',
  'libs/event-store/test/several-processes.test.ts',
  'libs/servers/**/*.test.ts',
  'scripts/torture.test.ts',
];

const shared = {
  setupFiles: ['scripts/vitest-seed.ts'],
  exclude: [...configDefaults.exclude, 'dist/**'],
  // Long enough for a machine that is ten times as busy: what fails fails by what it finds, not by when.
  testTimeout: 120_000,
  hookTimeout: 240_000,
  expect: { poll: { timeout: 60_000, interval: 20 } },
  // One more than the cores of a small machine: one of the files mostly waits. The projects share the
  // workers and start in the order of their names.
  maxWorkers: 3,
};

export default defineConfig({
  resolve: { conditions: ['source'] },
  // Vitest hands these to Node's own resolver too, also for `require`: never 'import' here.
  ssr: { resolve: { conditions: ['source', 'node'] } },
  test: {
    globalSetup: ['scripts/vitest-servers.ts'],
    reporters: ['default', './scripts/count-reporter.ts'],
    projects: [
      { extends: true, test: { ...shared, name: 'processes', include: withProcesses } },
      {
        extends: true,
        test: {
          ...shared,
          name: 'services and libs',
          include: ['libs/**/*.test.ts', 'services/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...shared.exclude, ...withProcesses],
          // Loading what a service imports takes longer than most files' tests: a worker loads it once.
          isolate: false,
        },
      },
    ],
  },
});

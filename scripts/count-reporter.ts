import { writeSync } from 'node:fs';
import type { Reporter, TestModule, TestRunEndReason, TestSuite } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** `N passed, N failed`, alone on its line, whatever else there is to say. */
function closingLines({ passed, failed, skipped }: Counts): string {
  return `${skipped > 0 ? `${skipped} skipped\n` : ''}${passed} passed, ${failed} failed\n`;
}

/**
 * Counts tests and writes the closing line as the very last one, when the process ends. A file that
 * cannot be loaded, a hook that fails and an error outside of any test count as failed, too; so
 * does a run that ends before its end.
 */
export default class CountReporter implements Reporter {
  private counts: Counts = { passed: 0, failed: 1, skipped: 0 };

  onInit(): void {
    process.once('exit', (status) => {
      if (this.counts.failed > 0 || this.counts.passed === 0) process.exitCode = status || 1;
      writeSync(1, closingLines(this.counts));
    });
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'failed' : state] += 1;
      }
      const groups: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()];
      count.failed += groups.filter((group) => group.errors().length > 0).length;
    }
    // For instance when the servers of the run did not start.
    if (reason !== 'passed' && count.failed === 0) count.failed = 1;
    this.counts = count;
  }
}

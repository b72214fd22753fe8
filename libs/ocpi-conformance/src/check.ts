import type { InterfaceRole, ModuleId } from '#ocpi';
import type { Bench } from './bench.ts';

/** One thing that is tried at the platform, and the rules that it tells something about. */
export interface Check {
  /** `locations: PUT, PATCH and GET`, as --only and --skip name it. */
  readonly name: string;
  readonly rules: readonly string[];
  /** The interface that it asks; where the platform does not list it, its rules do not apply. */
  readonly of?: readonly [module: ModuleId, role: InterfaceRole];
  /** What it writes at the platform, and what of that stays there; left out by --read-only. */
  readonly writes?: string;
  /** Why it is left out, if it is: something that it needs was not given. */
  readonly unless?: (bench: Bench) => string | undefined;
  run(bench: Bench): Promise<void>;
}

export type Verdict = 'pass' | 'fail' | 'not tested' | 'not applicable';

/** What was sent and what came back; tokens are left out. */
export interface Evidence {
  readonly request: string;
  readonly response: string;
  readonly expected: string;
}

/** What one exchange told about one rule; what failed has its evidence. */
export interface Judgement {
  readonly rule: string;
  readonly ok: boolean;
  readonly check: string;
  readonly evidence?: Evidence;
}

export interface RuleVerdict {
  readonly rule: string;
  readonly verdict: Verdict;
  /** How many exchanges were judged by it. */
  readonly judged: number;
  /** Where nothing was: why. */
  readonly why?: string;
  /** Of a failure: each different thing that was expected in vain. */
  readonly findings: readonly (Evidence & { readonly check: string })[];
}

export type { Check, Evidence, RuleVerdict, Verdict } from './check.ts';
export { checks } from './checks.ts';
export { counts, reportText } from './report.ts';
export { type Rule, rules, type Strength } from './rules.ts';
export { type Conformance, conformance, type Report } from './run.ts';

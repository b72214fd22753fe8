export { type Rule, ruleIds, rules, type Strength } from './rules.ts';

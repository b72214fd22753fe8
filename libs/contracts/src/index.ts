export { filled } from './filled.ts';
export { fromJsonBytes, toJsonBytes } from './json.ts';

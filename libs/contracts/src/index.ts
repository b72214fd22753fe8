export { fromJsonBytes, jsonText, toJsonBytes } from './json.ts';
export { uint32 } from './uint32.ts';

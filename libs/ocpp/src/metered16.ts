import type { Deviation } from './lenient16.ts';

type Holder = Record<string, unknown>;

const list = /^\/(meterValue|transactionData)$/;
const entry = /^\/(meterValue|transactionData)\/\d+$/;
const samples = /\/sampledValue$/;
const sample = /\/sampledValue\/\d+$/;
const field = /\/sampledValue\/\d+\/(\w+)$/;

/**
 * S16-10: one value that cannot be read must not cost the stop or the readings beside it. What is
 * wrong within them is emptied where it stands, and nobody reads it from there on.
 */
export function metered16({ action, kind, error, payload }: Deviation): string | undefined {
  if (kind !== 'request' || (action !== 'MeterValues' && action !== 'StopTransaction')) return undefined;
  const { instancePath: path, keyword, params } = error;
  const [parent, key, value] = follow(payload, path);
  if (keyword === 'required') return filled(path, params['missingProperty'] as string, value as Holder);
  if (keyword !== 'type') return undefined;
  if (path === '/transactionId' && action === 'MeterValues' && typeof value === 'string' && value.trim() === '') {
    delete parent[key];
    return 'left out';
  }
  if (list.test(path) || samples.test(path)) {
    if (value === null) return undefined;
    parent[key] = typeof value === 'object' ? [value] : [];
    return 'read as a list';
  }
  if (entry.test(path)) parent[key] = { timestamp: '', sampledValue: [] };
  else if (sample.test(path)) parent[key] = { value: '' };
  else if (!field.test(path) || typeof value === 'number') return undefined;
  else if (key === 'value') parent[key] = '';
  else delete parent[key];
  return 'left out';
}

function filled(path: string, missing: string, holder: Holder): string | undefined {
  if (missing === 'value' && sample.test(path)) holder['value'] = '';
  else if (missing === 'sampledValue' && entry.test(path)) holder['sampledValue'] = [];
  else if (missing === 'timestamp' && entry.test(path)) holder['timestamp'] = '';
  else return undefined;
  return 'left out';
}

/** What is at a place, and who holds it. */
function follow(payload: Holder, path: string): [parent: Holder, key: string, value: unknown] {
  let [parent, key, value]: [Holder, string, unknown] = [{}, '', payload];
  for (const part of path.split('/').slice(1)) {
    parent = value as Holder;
    key = part;
    value = parent[part];
  }
  return [parent, key, value];
}

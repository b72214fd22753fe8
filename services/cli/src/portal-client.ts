import { type Given, optionOf, RefusedInput, WrongUsage } from './verb.ts';

/** The options of every verb that asks a running platform. */
export const PORTAL_OPTIONS = {
  url: { type: 'string', value: 'URL', help: 'of the portal; else the variable ROAMWATT_PORTAL_URL' },
  json: { type: 'boolean', help: 'the answer as one line of JSON' },
} as const;

const TIMEOUT_MS = 90_000;

/** The operator's REST door of a running platform. */
export interface PortalClient {
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T>;
}

/**
 * The operator's key comes from the environment alone: a command line is seen by every user of the
 * machine. Throws WrongUsage.
 */
export function portalOf(given: Given): PortalClient {
  const { ROAMWATT_PORTAL_URL, ROAMWATT_OPERATOR_KEY: key } = process.env;
  const url = optionOf(given, 'url') ?? ROAMWATT_PORTAL_URL;
  if (url && !/^https?:\/\/./i.test(url)) throw new WrongUsage(`the portal is at a URL such as http://127.0.0.1:8080, not "${url}"`);
  if (!url || !URL.canParse(url)) throw new WrongUsage('give the portal: --url http://127.0.0.1:8080, or ROAMWATT_PORTAL_URL');
  if (!key) throw new WrongUsage('set ROAMWATT_OPERATOR_KEY to the key of the operator (portal.operator_keys in roamwatt.yaml)');
  return { call: (method, path, body) => call(new URL(path, url), key, method, body) };
}

async function call<T>(url: URL, key: string, method: string, body?: object): Promise<T> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (error) {
    const { message, cause } = error as Error;
    throw new RefusedInput(`${url.origin}: ${cause instanceof Error ? cause.message : message}. Does the portal run there?`);
  }
  const answer = parsed(text);
  if (response.ok && answer !== undefined) return answer as T;
  const { code = 'no answer of a portal', detail = text.slice(0, 200) } =
    (answer as { error?: { code?: string; detail?: string } } | undefined)?.error ?? {};
  const advice = code === 'wrong-operator-key' ? '. ROAMWATT_OPERATOR_KEY is none of them: see roamwatt.yaml of that platform' : '';
  throw new RefusedInput(`${url.origin}: HTTP ${response.status}, ${code}: ${detail}${advice}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

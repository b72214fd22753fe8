import type { Seen, Sent } from './bench.ts';
import type { Evidence } from './check.ts';

const SHOWN_AT_MOST = 600;
/** Shorter tokens are hidden where they are a field only: they may be part of any word. */
const HIDDEN_FROM = 8;
const shownHeaders = /^(x-|ocpi-|link$|location$|allow$|content-type$)/i;

/** What was sent and what came, without the tokens in it. */
export function evidenceOf(seen: Seen | string, expected: string, secrets: readonly string[]): Evidence {
  const long = secrets.filter(({ length }) => length >= HIDDEN_FROM);
  const hidden = (text: string) =>
    long.reduce(
      (left, secret) => left.replaceAll(secret, '<token>'),
      text.replace(/"token":\s*"[^"]*"/g, '"token":"<token>"'),
    );
  if (typeof seen === 'string') return { request: hidden(cut(seen)), response: '', expected };
  return { request: hidden(shownRequest(seen.sent)), response: hidden(shownResponse(seen)), expected };
}

function shownRequest({ method, url, headers, body }: Sent): string {
  return cut([`${method} ${url}`, ...headerLines(headers), ...(body === undefined ? [] : [body])].join('\n'));
}

export function shownResponse({ http, headers, text }: Seen): string {
  if (http === 0) return `no answer: ${text}`;
  return cut([`HTTP ${http}`, ...headerLines(headers as Record<string, string>), text].join('\n'));
}

function headerLines(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  return Object.entries(headers).filter(([name]) => shownHeaders.test(name)).map(([name, value]) => `${name}: ${value}`);
}

function cut(text: string): string {
  return text.length > SHOWN_AT_MOST ? `${text.slice(0, SHOWN_AT_MOST - 1)}…` : text;
}

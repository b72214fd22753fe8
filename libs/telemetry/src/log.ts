import { trace } from '@opentelemetry/api';
import { masked } from './mask.ts';

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type Level = (typeof levels)[number];
/** None takes the place of the line's own: it would be lost. */
export type Fields = Readonly<Record<string, unknown>> & { readonly [own in 'at' | 'level' | 'service' | 'msg']?: never };

/** Writes one line per call. Fields named like a secret are masked; an Error keeps its stack. */
export interface Log {
  debug(msg: string, fields?: Fields): void;
  info(msg: string, fields?: Fields): void;
  warn(msg: string, fields?: Fields): void;
  error(msg: string, fields?: Fields): void;
  /** The same log with fields that every line carries. */
  with(fields: Fields): Log;
}

export interface LogOptions {
  /** By default the environment's ROAMWATT_LOG, else warn. */
  readonly level?: Level;
  /** By default standard error: text for a person at a terminal, JSON lines else. */
  readonly write?: (line: string) => void;
  readonly human?: boolean;
}

/** The log of one service: JSON lines {at, level, service, msg, trace?, …fields}, `at` in real time. */
export function log(service: string, options: LogOptions = {}): Log {
  const level = options.level ?? levelNamed(process.env['ROAMWATT_LOG']);
  const human = options.human ?? (options.write === undefined && process.stderr.isTTY === true);
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const line = (at: Level, msg: string, fields: Fields) => {
    const now = new Date().toISOString();
    const traceId = trace.getActiveSpan()?.spanContext().traceId;
    const rest = masked(fields) as Fields;
    const head = { at: now, level: at, service, msg, ...(traceId ? { trace: traceId } : {}) };
    write(human
      ? `${now.slice(11, 23)} ${at.toUpperCase().padEnd(5)} ${service}: ${msg}${humanFields(rest)}`
      : JSON.stringify({ ...head, ...rest, ...head })); // No field takes the place of the line's own.
  };
  const made = (own: Fields): Log => {
    const at = (its: Level) => levels.indexOf(its) < levels.indexOf(level)
      ? () => {}
      : (msg: string, fields: Fields = {}) => line(its, msg, { ...own, ...fields });
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      with: (more) => made({ ...own, ...more }),
    };
  };
  return made({});
}

function levelNamed(name: string | undefined): Level {
  return levels.find((level) => level === name?.toLowerCase()) ?? 'warn';
}

function humanFields(fields: Fields): string {
  const stacks: string[] = [];
  let text = '';
  for (const [key, value] of Object.entries(fields)) {
    const { stack } = (value ?? {}) as { stack?: unknown };
    if (typeof stack === 'string') stacks.push(stack);
    else text += ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  }
  return [text, ...stacks].join('\n');
}

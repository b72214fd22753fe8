import type { Party } from '#ocpi';
import { Bench } from './bench.ts';
import type { Check, Judgement, RuleVerdict } from './check.ts';
import { checks } from './checks.ts';
import { presentedAsIs } from './checks/configuration.ts';
import { Listener } from './listener.ts';
import { type Rule, rules } from './rules.ts';
import { NO_DETAILS, unseen, unshown } from './unseen.ts';

export interface Conformance {
  readonly versionsUrl: string;
  /** A registration token; with `readOnly` one that the platform knows already. */
  readonly token: string;
  readonly party: Party;
  /** Where the kit's own peer listens, and as what the platform reaches it. */
  readonly listen?: { readonly host: string; readonly port: number };
  readonly publicUrl?: string;
  readonly readOnly?: boolean;
  /** `LOCATION/EVSE`, where a charge may be started. */
  readonly chargeAt?: string;
  /** Of a hub: a second registration token. Then the kit is another member, too, and hears what is told to everybody. */
  readonly memberToken?: string;
  /** Parts of names of checks. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly timeoutMs?: number;
  readonly minutes?: number;
  readonly allowPrivate?: boolean;
  /** How long something that must not come is waited for; 1 s by default. */
  readonly patienceMs?: number;
  /** Aborted: the check at work is finished, the link is ended, and the report says what is left. */
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, of: number, check: string) => void;
  readonly now?: () => number;
}

export interface Report {
  readonly versionsUrl: string;
  readonly roles: readonly string[];
  readonly verdicts: readonly (RuleVerdict & Pick<Rule, 'strength' | 'text'>)[];
  /** Why the platform could not call the kit, where it could not: without that there is no registration. */
  readonly unreached?: string;
  /** Why the kit never was a partner, where it was not: then what needs a link was not tried. */
  readonly unlinked?: string;
  /** What of this run stays at the platform. */
  readonly written: readonly string[];
}

const ALWAYS = 'versions';
const REGISTRATION = 'credentials: registration';
const SKIPPED = 'it was to be left out (--skip)';
/** Of one rule; more of a kind say nothing new. */
const FINDINGS_AT_MOST = 10;
/** What a platform does not offer; that something was not given to the kit is another thing. */
const ABSENT = /^no (\w+ (SENDER|RECEIVER)$|objects of its own)/;

/** Tries a platform by every check that applies to it; answers a verdict for every rule. */
export async function conformance(given: Conformance): Promise<Report> {
  const { host, port } = given.listen ?? { host: '127.0.0.1', port: 0 };
  const now = given.now ?? Date.now;
  const listener = await Listener.open({ host, port, publicUrl: given.publicUrl ?? '', party: given.party });
  const bench = new Bench({
    versionsUrl: given.versionsUrl,
    token: given.token,
    party: given.party,
    listener,
    timeoutMs: given.timeoutMs ?? 5_000,
    allowPrivate: given.allowPrivate ?? true,
    patienceMs: given.patienceMs ?? 1_000,
    now,
    ...(given.chargeAt === undefined ? {} : { chargeAt: given.chargeAt }),
    ...(given.memberToken === undefined ? {} : { memberToken: given.memberToken }),
  });
  const reasons = new Map<Check, string>();
  const written: string[] = [];
  let isLinked = false;
  const deadline = Date.now() + (given.minutes ?? 10) * 60_000;
  try {
    for (const [turn, check] of checks.entries()) {
      given.progress?.(turn, checks.length, check.name);
      const ends = check.name === 'credentials: end of the link';
      const why = leftOut(bench, check, given) ?? (ends ? undefined : stopped(given.signal, deadline));
      if (why !== undefined) {
        reasons.set(check, why);
        continue;
      }
      bench.check = check.name;
      bench.untilMs = ends ? Infinity : deadline;
      if (check.writes && !check.writes.startsWith('nothing')) written.push(`${check.name}: ${check.writes}`);
      await check.run(bench).catch((error: Error) => void reasons.set(check, `the check ended early: ${error.message}`));
      if (given.readOnly && check.name === ALWAYS) {
        const closed = await presentedAsIs(bench);
        if (closed !== undefined) reasons.set(check, closed);
        bench.registered = closed === undefined;
      }
      isLinked ||= bench.registered;
    }
  } finally {
    await bench.close();
    await listener.close();
  }
  const unlinked = whyUnlinked(isLinked, reasons, given.readOnly);
  return {
    versionsUrl: given.versionsUrl,
    roles: bench.theirs?.roles.map(({ role, country_code, party_id }) => `${role} ${country_code}*${party_id}`) ?? [],
    verdicts: rules.map((rule) => ({ ...verdictOf(rule, bench.judgements, reasons), strength: rule.strength, text: rule.text })),
    ...(bench.unreached === undefined ? {} : { unreached: bench.unreached }),
    ...(unlinked === undefined ? {} : { unlinked }),
    written,
  };
}

/** Undefined where it was a partner, or was not to become one. */
function whyUnlinked(isLinked: boolean, reasons: ReadonlyMap<Check, string>, readOnly = false): string | undefined {
  const name = readOnly ? ALWAYS : REGISTRATION;
  const [, why = 'the platform did not register it'] = [...reasons].find(([check]) => check.name === name) ?? [];
  return isLinked || why === SKIPPED ? undefined : why;
}

function stopped(signal: AbortSignal | undefined, deadline: number): string | undefined {
  if (signal?.aborted) return 'it was interrupted';
  return Date.now() > deadline ? 'the time was over' : undefined;
}

/** Why a check is not made; undefined where it is. */
function leftOut(bench: Bench, check: Check, { readOnly, only, skip }: Conformance): string | undefined {
  const named = (parts: readonly string[] = []) => parts.some((part) => check.name.includes(part));
  const isLink = check.name === ALWAYS || /^credentials: (registration|end)/.test(check.name);
  if (readOnly && check.writes) return 'nothing was to be written (--read-only)';
  if (named(skip)) return SKIPPED;
  if (only && only.length > 0 && !named(only) && !isLink) return 'it was not asked for (--only)';
  if (check.name !== ALWAYS && bench.endpoints.length === 0) return NO_DETAILS;
  if (check.of) {
    const [module, role] = check.of;
    if (bench.isHub && module !== 'hubclientinfo') return 'no objects of its own: it is a hub';
    if (bench.endpoint(module, role) === undefined) return `no ${module} ${role}`;
    if (!bench.registered) return 'the kit is not registered';
  }
  return check.unless?.(bench);
}

function verdictOf({ id }: Rule, judgements: readonly Judgement[], reasons: ReadonlyMap<Check, string>): RuleVerdict {
  const of = judgements.filter(({ rule }) => rule === id);
  const failed = of.flatMap(({ check, evidence }) => (evidence ? [{ ...evidence, check }] : []));
  const findings = [...new Map(failed.map((one) => [one.expected, one])).values()].slice(0, FINDINGS_AT_MOST);
  if (of.length > 0) return { rule: id, verdict: failed.length > 0 ? 'fail' : 'pass', judged: of.length, findings };
  const none = { rule: id, judged: 0, findings: [] };
  const concerned = checks.filter(({ rules: some }) => some.includes(id));
  if (concerned.length === 0) return { ...none, ...unseen(id) };
  const why = [...new Set(concerned.flatMap((check) => reasons.get(check) ?? []))];
  const isAbsent = why.length > 0 && why.every((one) => ABSENT.test(one)) && concerned.every((check) => reasons.has(check));
  if (isAbsent) return { ...none, verdict: 'not applicable', why: `the platform has ${why.join(', ')}` };
  return { ...none, verdict: 'not tested', why: why.length > 0 ? why.join('; ') : unshown[id] ?? 'the platform held nothing by which it could be judged' };
}

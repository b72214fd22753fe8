import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { told } from '#bus';
import { agreementChanged, agreementOf } from '#contracts/agreements';
import { partnerRegistered } from '#contracts/ocpi-gateway';
import { Book, Findings } from './torture-book.ts';
import { agreed, tokenIssued } from './torture-charge.ts';
import { checkAll } from './torture-check.ts';
import { type Neighbour, neighbourOf } from './torture-neighbour.ts';
import { other, Player } from './torture-player.ts';
import { type LedgerSide, setTortureStage, type TortureStage } from './torture-stage.ts';
import { type SideNumber, type Step, Steps } from './torture-steps.ts';

export interface TortureOptions {
  readonly seed: number;
  /** For the servers' data and the logs; whoever gave it removes it. */
  readonly dir: string;
  /** Where each step and outcome is written, a JSON line each. */
  readonly events: string;
  /** Whether there is to be one more step. */
  goesOn(steps: number): boolean;
  progress?(text: string): void;
}

export interface TortureReport {
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Empty when all that was acknowledged is there, once, and both sides agree. */
  readonly problems: readonly string[];
  readonly logs: string;
}

/** Messages and commands under way at a time. */
const UNDER_WAY = 12;

/** Drives two ledgers through faults that the seed decides, then lets them settle, and checks them. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { seed, dir, goesOn, progress = () => {} } = options;
  const fromMs = performance.now();
  const stage = await setTortureStage(dir);
  const run = new Run(stage, options);
  try {
    await run.begin();
    const steps = new Steps(seed);
    let count = 0;
    for (; goesOn(count) && run.findings.problems.length === 0; count += 1) {
      await run.step(steps.next());
      if (count % 100 === 99) progress(`${count + 1} steps: ${run.summary()}`);
    }
    progress(`${count} steps; waiting until all is delivered`);
    await run.settle();
    progress('checking');
    await run.check();
    const seconds = Math.round((performance.now() - fromMs) / 100) / 10;
    const { problems, counts } = run.findings;
    const report = { seed, steps: count, seconds, counts: Object.fromEntries([...counts].sort()), problems };
    return { ...report, logs: stage.logs() };
  } finally {
    await run.end();
    await stage.stop();
  }
}

class Run {
  readonly findings = new Findings();
  private readonly stage: TortureStage;
  private readonly seed: number;
  private readonly events;
  private readonly books = [new Book(), new Book()] as const;
  private neighbours!: readonly [Neighbour, Neighbour];
  private player!: Player;
  private readonly post: { due: number; what: string; work: () => Promise<void> }[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private striking: Promise<void> = Promise.resolve();
  private now = 0;

  constructor(stage: TortureStage, { seed, events }: TortureOptions) {
    this.stage = stage;
    this.seed = seed;
    mkdirSync(dirname(events), { recursive: true });
    this.events = createWriteStream(events);
  }

  async begin(): Promise<void> {
    const beside = (side: LedgerSide) => neighbourOf(side, {
      issued: (fact) => this.player.issued(side.number, fact),
      received: ({ cdrId }) => void this.books[side.number].heardReceived.add(cdrId),
    });
    const [one, two] = await Promise.all(this.stage.sides.map(beside));
    this.neighbours = [one!, two!];
    const { seed, neighbours, books, findings } = this;
    this.player = new Player({ seed, neighbours, books, findings, later: (steps, what, work) =>
      void this.post.push({ due: this.now + steps, what, work }) });
    for (const { side: { number }, tell } of neighbours) await this.introduce(number, tell);
  }

  private async introduce(number: SideNumber, tell: Neighbour['tell']): Promise<void> {
    const { country_code, party_id, name } = this.stage.sides[other(number)].party;
    const partner = { countryCode: country_code, partyId: party_id };
    await tell('ocpi-gateway', told(partnerRegistered, { partnerId: party_id, name, roles: [{ party: partner, role: 'CPO', name }] }));
    for (const [n, terms] of agreed.entries()) {
      const at = '2022-02-01T00:00:00Z';
      await tell('agreements', told(agreementChanged, { partner, version: n + 1, agreement: agreementOf(terms), at }));
    }
    // Whoever charges has an account, that is opened once.
    for (let times = 0; times < 2; times += 1) await tell('tokens-auth', tokenIssued(this.stage.sides[number].party));
  }

  async step(step: Step): Promise<void> {
    this.now += 1;
    this.note({ step: this.now, ...step });
    if (step.do === 'fault') {
      // One at a time: what is stopped must run again before the next is struck.
      await this.striking;
      this.findings.count(`fault: ${step.fault.kind}`);
      this.striking = this.stage.strike(step.fault).catch((error: Error) => this.findings.wrong(`${step.fault.kind}: ${error.stack}`));
    } else this.player.play(step);
    await this.carryOut((one) => one.due <= this.now);
  }

  private async carryOut(isDue: (one: { due: number }) => boolean): Promise<void> {
    for (let n = this.post.length - 1; n >= 0; n -= 1) {
      if (!isDue(this.post[n]!)) continue;
      const { what, work } = this.post.splice(n, 1)[0]!;
      while (this.underWay.size >= UNDER_WAY) await Promise.race(this.underWay);
      const done: Promise<void> = work()
        .then(() => this.note({ done: what }))
        .catch((error: Error) => this.findings.wrong(`${what}: ${error.stack}`))
        .finally(() => this.underWay.delete(done));
      this.underWay.add(done);
    }
  }

  /** No more faults: whatever is late comes, whatever was lost is sent again, until all is known to both. */
  async settle(): Promise<void> {
    await this.striking;
    for (let before = ''; this.findings.problems.length === 0;) {
      await this.carryOut(() => true);
      await Promise.all(this.underWay);
      if (this.post.length > 0) continue;
      const missing = [...this.missing(), ...(await this.behind())];
      if (missing.length === 0) return;
      before = await this.waited(missing, before);
    }
  }

  private lastMove = { text: '', atMs: 0 };

  private async waited(missing: readonly string[], before: string): Promise<string> {
    const text = `${missing.length} ${missing.slice(0, 3).join(', ')}`;
    const atMs = performance.now();
    if (text !== before) this.lastMove = { text, atMs };
    else if (atMs - this.lastMove.atMs > GIVE_UP_MS) this.findings.wrong(`nothing moves any more: still missing ${text}`);
    await sleep(100);
    return text;
  }

  /** What was told or answered and is not heard of yet; what was not acknowledged is sent again. */
  private missing(): string[] {
    return this.books.flatMap(({ sessions, bills, corrections }, n) => {
      const wanted = [
        ...[...sessions.keys()].map((session) => `${session}-1`),
        ...[...corrections.values()].flatMap(({ creditCdrId, replacementCdrId }) => [creditCdrId, replacementCdrId ?? creditCdrId]),
      ];
      for (const bill of bills.values()) {
        if (this.delivered.has(bill)) continue;
        this.delivered.add(bill);
        this.post.push({ due: 0, what: `push ${bill.id} at last`, work: () => this.player.push(n as SideNumber, bill) });
      }
      return [...wanted.filter((id) => !bills.has(id)), ...this.post.map(({ what }) => what)];
    });
  }

  private readonly delivered = new Set<object>();

  /** What the ledgers have not heard of acknowledgements, told or taken into their chains and lists. */
  private async behind(): Promise<string[]> {
    const each = await Promise.all(this.neighbours.map(async ({ side, query }, n) => {
      const [row] = await query<{ acknowledged: number; charged: number; refunded: number; behind: string[] }>(
        `SELECT (SELECT count(*)::int FROM cdr_ledger.events WHERE type = 'CdrAcknowledged') AS acknowledged,
           (SELECT count(*)::int FROM cdr_ledger.events WHERE type = 'ChargeBooked') AS charged,
           (SELECT count(*)::int FROM cdr_ledger.events WHERE type = 'ChargeRefunded') AS refunded,
           -- Of a rebuild that was killed a row is left.
           ARRAY(SELECT follower FROM cdr_ledger.followed WHERE follower NOT LIKE '% rebuilding'
             AND "position" < (SELECT max("position") FROM cdr_ledger.events)) AS behind`);
      const { bills, heardReceived } = this.books[n]!;
      const theirs = [...this.books[other(n as SideNumber)].bills.values()];
      const credits = theirs.filter(({ cdr }) => cdr.credit).length;
      const [uncharged, unpaid] = [theirs.length - credits - row!.charged, credits - row!.refunded];
      const [untold, unheard] = [this.books[other(n as SideNumber)].bills.size - heardReceived.size, bills.size - row!.acknowledged];
      return [
        ...row!.behind,
        ...(unheard > 0 ? [`${unheard} acknowledgements`] : []),
        ...(untold > 0 ? [`${untold} received CDRs untold`] : []),
        ...(uncharged > 0 ? [`${uncharged} charges of drivers`] : []),
        ...(unpaid > 0 ? [`${unpaid} refunds of drivers`] : []),
      ].map((what) => `${side.party.name}: ${what}`);
    }));
    return each.flat();
  }

  async check(): Promise<void> {
    const { stage, neighbours, books, findings } = this;
    if (findings.problems.length > 0) return;
    for (const [n, { sessions, bills }] of books.entries()) {
      findings.count('sessions', sessions.size);
      findings.count(`CDRs issued by ${stage.sides[n]!.party.name}`, bills.size);
      for (const [reason, times] of neighbours[n]!.askedAgain) findings.count(`asked again: ${reason}`, times);
    }
    await checkAll({ stage, neighbours, books, findings });
  }

  async end(): Promise<void> {
    await this.striking;
    await Promise.all(this.underWay);
    await Promise.all((this.neighbours ?? []).map((neighbour) => neighbour.close()));
    for (const problem of this.findings.problems) this.note({ problem });
    await new Promise((resolve) => this.events.end(resolve));
  }

  summary(): string {
    const bills = this.books.map(({ bills: all }) => all.size);
    const faults = [...this.findings.counts].filter(([what]) => what.startsWith('fault')).reduce((sum, [, n]) => sum + n, 0);
    return `${bills[0]} and ${bills[1]} CDRs issued, ${faults} faults, ${this.post.length} messages late`;
  }

  private note(what: object): void {
    this.events.write(`${JSON.stringify({ ms: Math.round(performance.now()), ...what })}\n`);
  }
}

/** A generous bound for a stall, so that a run ends and says what is missing. */
const GIVE_UP_MS = 60_000;

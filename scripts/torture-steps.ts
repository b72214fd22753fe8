import { type BadInput, badInputs } from './torture-bad.ts';
import { Draw } from './torture-draw.ts';

/** Which of the two platforms: 0 Energy OASIS (CPO), 1 Carbon Plunk (eMSP). Both bill each other. */
export type SideNumber = 0 | 1;

export type Fault =
  | { readonly kind: 'kill' | 'stop'; readonly side: SideNumber; readonly process: number; readonly ms: number }
  | { readonly kind: 'database-stop' | 'database-crash' | 'nats-crash'; readonly ms: number };

interface OfSide {
  readonly side: SideNumber;
}

/** A message or command, and how many steps later each of its copies comes. */
interface Repeated extends OfSide {
  readonly delays: readonly number[];
}

export type Step =
  | (Repeated & { readonly do: 'charge'; readonly session: string; readonly energyWh: string; readonly place: number })
  | (Repeated & {
      readonly do: 'correct';
      readonly commandId: string;
      readonly cdrId: string;
      readonly energyWh: string;
      readonly withoutReplacement: boolean;
    })
  | (Repeated & { readonly do: 'dispute'; readonly commandId: string; readonly issuer: SideNumber; readonly cdrId: string })
  | (Repeated & {
      readonly do: 'answer' | 'withdraw';
      readonly commandId: string;
      readonly issuer: SideNumber;
      readonly cdrId: string;
      readonly number: number;
    })
  | (Repeated & { readonly do: 'pay'; readonly commandId: string; readonly amount: string })
  | (OfSide & { readonly do: 'send-bad'; readonly input: BadInput; readonly mark: string })
  | (OfSide & { readonly do: 'rebuild'; readonly projection: string })
  | { readonly do: 'fault'; readonly fault: Fault };

/** The steps that a seed decides, one after the other and without end. */
export class Steps {
  private readonly seed: number;
  private readonly charges: { side: SideNumber; session: string }[] = [];
  private count = 0;

  constructor(seed: number) {
    this.seed = seed;
  }

  next(): Step {
    this.count += 1;
    const draw = new Draw(`${this.seed} step ${this.count}`);
    const earlier = this.charges.slice(-60);
    const kind = draw.weighed({
      charge: 50, correct: 9, dispute: 8, answer: 4, withdraw: 3, pay: 6, 'send-bad': 12, rebuild: 2, fault: 6,
    });
    const side = side01(draw, 0.5);
    switch (kind) {
      case 'fault':
        return { do: 'fault', fault: faultOf(draw, side) };
      case 'send-bad':
        return { do: kind, side, input: draw.pick(badInputs), mark: `BAD-${this.count}` };
      case 'rebuild':
        return { do: kind, side, projection: draw.pick(['cdr-list', 'dispute-list', 'account-rows']) };
      case 'pay':
        return {
          do: kind,
          side,
          commandId: `command-${this.count}`,
          amount: centsText(draw.whole(-2_000, 20_000)),
          delays: draw.delays(3),
        };
      case 'charge':
        return this.charge(draw);
      default:
        return earlier.length === 0 ? this.charge(draw) : this.order(kind, draw, draw.pick(earlier));
    }
  }

  private charge(draw: Draw): Step {
    const side = side01(draw, 0.25);
    const session = `T${this.count}`;
    this.charges.push({ side, session });
    const energyWh = String(draw.whole(1, 90_000));
    return { do: 'charge', side, session, energyWh, place: draw.whole(0, 2), delays: draw.delays(3) };
  }

  private order(
    kind: 'correct' | 'dispute' | 'answer' | 'withdraw',
    draw: Draw,
    { side: issuer, session }: { side: SideNumber; session: string },
  ): Step {
    const commandId = `command-${this.count}`;
    const delays = draw.delays(2);
    if (kind === 'correct') {
      const cdrId = `${session}-${draw.chance(0.8) ? 1 : 2}`;
      const energyWh = String(draw.whole(1, 90_000));
      return { do: kind, side: issuer, commandId, cdrId, energyWh, withoutReplacement: draw.chance(0.4), delays };
    }
    const about = { side: side01(draw, 0.5), commandId, issuer, cdrId: `${session}-1`, delays };
    return kind === 'dispute' ? { do: kind, ...about } : { do: kind, ...about, number: draw.chance(0.9) ? 1 : 2 };
  }
}

/** An amount other than 0 of so many cents. */
function centsText(cents: number): string {
  const [sign, size] = cents < 0 ? ['-', -cents] : ['', cents || 1];
  return `${sign}${Math.floor(size / 100)}.${String(size % 100).padStart(2, '0')}`;
}

function side01(draw: Draw, ofOne: number): SideNumber {
  return draw.chance(ofOne) ? 1 : 0;
}

function faultOf(draw: Draw, side: SideNumber): Fault {
  const kind = draw.weighed({ kill: 4, stop: 3, 'database-stop': 1, 'database-crash': 2, 'nats-crash': 1 });
  const ms = draw.whole(50, draw.chance(0.3) ? 3_000 : 600);
  return kind === 'kill' || kind === 'stop' ? { kind, side, process: draw.whole(0, 1), ms } : { kind, ms };
}

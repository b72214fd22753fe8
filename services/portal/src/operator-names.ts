import { type Bus, isAskFailure } from '#bus';
import { listPartners } from '#contracts/ocpi-gateway';
import { type Party, partyText } from '#ocpi';
import type { OwnParties } from '#settings';

const KEPT_MS = 60_000;
const TIMEOUT_MS = 1_000;

/** What drivers read of a party whose Location names no operator: the business name of its role as a CPO. CRE-12. */
export class OperatorNames {
  private names: ReadonlyMap<string, string> = new Map();
  private asked: { readonly atMs: number; readonly answered: Promise<void> } | undefined;

  constructor(private readonly bus: Bus, private readonly own: OwnParties) {}

  /** Asks at most once a minute; while nobody answers, the names that were known hold. */
  async current(): Promise<(party: Party) => string> {
    const nowMs = performance.now();
    if (!this.asked || nowMs - this.asked.atMs > KEPT_MS) this.asked = { atMs: nowMs, answered: this.ask() };
    await this.asked.answered;
    return (party) => this.names.get(nameOf(party)) ?? this.own.find(party)?.name ?? partyText(party);
  }

  private async ask(): Promise<void> {
    const [answer] = await this.bus.askMany(listPartners, [{}], { timeoutMs: TIMEOUT_MS });
    if (!answer || isAskFailure(answer)) return;
    // A link that has ended gives way to one that is there, and what is no CPO to what is.
    const roles = [...answer.partners].sort((a, b) => Number(a.state === 'registered') - Number(b.state === 'registered'))
      .flatMap(({ roles: its }) => its);
    const inOrder = [...roles.filter(({ role }) => role !== 'CPO'), ...roles.filter(({ role }) => role === 'CPO')];
    this.names = new Map(inOrder.flatMap(({ party, name }) => (
      party && name !== '' ? [[nameOf({ country_code: party.countryCode, party_id: party.partyId }), name]] : [])));
  }
}

const nameOf = (party: Party) => partyText(party).toUpperCase();

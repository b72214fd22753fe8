import type { ActiveChargingProfile, ChargingProfileResponse, Outcome, Session } from '#ocpi';
import { exampleTerms } from '#settlement';
import { expect } from 'vitest';
import { dataOf, type Incoming, RawPartner } from './raw-partner.ts';
import { invitation, type Side } from './stage.ts';

export const amps = (limit: number) => ({ charging_rate_unit: 'A', charging_profile_period: [{ start_period: 0, limit }] });

const responseOf = (outcome: Outcome) => dataOf<ChargingProfileResponse>(outcome).result;

/** A smart charging service provider, CA*SMC, of another make. */
export class Provider {
  private asked = 0;

  private constructor(readonly raw: RawPartner, private readonly side: Side) {}

  static async at(side: Side): Promise<Provider> {
    const raw = await RawPartner.open('SCSP', 'SMC');
    await raw.register(await invitation(side, 'A smart charging service provider', 'SMC'));
    return new Provider(raw, side);
  }

  /** The platform's agreement with it: `own` is the n-th party of the example. */
  agree(own: 0 | 1, ...granted: object[]): Promise<{ warnings: string[] }> {
    return this.side.operator.put('/v1/operator/partners/CA/SMC/agreement', {
      ...exampleTerms, fees: [], grants: { smart_charging: granted },
      parties: [exampleTerms.parties[own], { ...exampleTerms.parties[1]!, party_id: 'SMC', name: 'Smart Charging Inc.' }],
    });
  }

  /** What is answered at once, and where the result comes to. */
  async put(id: string, limit: number) {
    const exchange = `put-${(this.asked += 1)}`;
    const body = { charging_profile: amps(limit), response_url: this.raw.responseUrl(exchange) };
    return { response: responseOf(await this.raw.send('put', this.url(id), body)), exchange };
  }

  async clear(id: string) {
    const exchange = `clear-${(this.asked += 1)}`;
    return { response: responseOf(await this.raw.send('delete', `${this.url(id)}?${this.responseTo(exchange)}`)), exchange };
  }

  async ask(id: string) {
    const exchange = `ask-${(this.asked += 1)}`;
    return { response: responseOf(await this.raw.send('get', `${this.url(id)}?duration=900&${this.responseTo(exchange)}`)), exchange };
  }

  results(exchange: string): unknown[] {
    return this.raw.incoming.filter(({ path }) => path === `/results/${exchange}`).map(({ body }) => body);
  }

  async resultIs(exchange: string, result: string): Promise<void> {
    await expect.poll(() => this.results(exchange)).toEqual([{ result }]);
  }

  /** Until a limit that it sets is obeyed. */
  async limit(id: string, limitA: number): Promise<void> {
    const { response, exchange } = await this.put(id, limitA);
    expect(response).toBe('ACCEPTED');
    await this.resultIs(exchange, 'ACCEPTED');
  }

  /** Sessions as they were pushed. */
  seen(id = ''): Incoming[] {
    return this.raw.received('sessions').filter(({ path }) => path.endsWith(`/${id}`) || id === '');
  }

  async listed(): Promise<Session[]> {
    return dataOf<Session[]>(await this.raw.send('get', `${this.raw.at('sessions', 'SENDER')}?date_from=2000-01-01T00:00:00Z`));
  }

  /** What it was told last that a charge may draw. */
  told(id = ''): number[] | undefined {
    const pushed = this.raw.incoming.filter(({ method, path }) => method === 'PUT' && path.startsWith(`/sender/chargingprofiles/${id}`));
    const last = pushed.at(-1)?.body as ActiveChargingProfile | undefined;
    return last?.charging_profile.charging_profile_period?.map(({ limit }) => Number(limit));
  }

  async toldIs(...limits: number[]): Promise<void> {
    await expect.poll(() => this.told()).toEqual(limits);
  }

  private url(id: string): string {
    return this.raw.at('chargingprofiles', 'RECEIVER', id);
  }

  private responseTo(exchange: string): string {
    return `response_url=${encodeURIComponent(this.raw.responseUrl(exchange))}`;
  }
}

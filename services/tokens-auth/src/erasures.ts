import { randomUUID } from 'node:crypto';
import { type Bus, isAskFailure, told, type Outbox } from '#bus';
import {
  contractErased, type ErasurePreviewed, type Forgetter, forgetters, type Hindrance, type Kept, previewErasure,
} from '#contracts/erasure';
import { Rejected } from '#decider';
import { type Holder, toldHolder } from '#erasure';
import { type Party, partyText, sameId, sameParty, type Token } from '#ocpi';
import type { Database } from '#postgres';
import type { Clock } from '#time';
import {
  type ErasureRow, findErasure, openErasures, otherContracts, storeErasure, tokensOfContract,
} from './erasure-rows.ts';

export type ErasureRefusal = 'unknown-contract' | 'unknown-erasure' | 'service-not-answering';

export interface ErasuresParts {
  readonly bus: Bus;
  readonly db: Database;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

export interface Standing extends Omit<ErasureRow, 'holder' | 'erasureId' | 'kept'> {
  readonly erasureId: string | undefined;
  readonly kept: readonly Pick<Kept, 'service' | 'what' | 'count'>[];
  readonly hindrances: readonly Pick<Hindrance, 'service' | 'code' | 'detail'>[];
  readonly isOver: boolean;
}

/** Looking goes through a log or two. */
const LOOKS_WITHIN_MS = 30_000;

/** Contracts that are to be forgotten: decided here, since tokens are; done by every service. */
export class Erasures {
  constructor(private readonly parts: ErasuresParts) {}

  /** Once more while it is not over is the same erasure. */
  async erase(party: Party, contractId: string, dryRun: boolean): Promise<Standing> {
    const { db, outbox, clock } = this.parts;
    const going = await this.going(party, contractId);
    if (going && !dryRun) return standing(going);
    const at = clock.iso();
    const holder = await this.holder(party, contractId, at);
    const { kept, hindrances } = await this.look(holder);
    if (dryRun) return { ...NOTHING_DONE, at, kept, hindrances };
    const [first] = hindrances;
    if (first) throw new Rejected(first.code, hindrances.map(({ detail }) => detail).join('; '));
    if (kept.length === 0) {
      throw new Rejected<ErasureRefusal>(
        'unknown-contract', `contract_id: nothing is held here of ${contractId} of ${partyText(party)}`);
    }
    const { at: _, ...whom } = holder;
    const row: ErasureRow = {
      erasureId: randomUUID(), at, holder: whom, forgottenBy: [], waits: {},
      kept: kept.map(({ service, what, count }) => ({ service, what, count: Number(count) })),
    };
    await db.tx(async (tx) => {
      await storeErasure(tx, row);
      await outbox.tell(tx, [told(contractErased, { erasureId: row.erasureId, at })]);
    });
    return standing(row);
  }

  async find(erasureId: string): Promise<Standing> {
    return standing(await this.known(erasureId));
  }

  /** Undefined once all have forgotten. */
  async holderOf(erasureId: string): Promise<Holder | undefined> {
    const { holder, at } = await this.known(erasureId);
    return holder && { ...holder, at };
  }

  async note(erasureId: string, service: Forgetter, waitsFor: string | undefined): Promise<void> {
    await this.parts.db.tx(async (tx) => {
      const row = await findErasure(tx, erasureId, true);
      if (!row?.holder || row.forgottenBy.includes(service)) return;
      const { [service]: _, ...others } = row.waits;
      const waits = waitsFor === undefined ? others : { ...others, [service]: waitsFor };
      const forgottenBy = waitsFor === undefined ? [...row.forgottenBy, service] : row.forgottenBy;
      const isOver = forgetters.every((one) => forgottenBy.includes(one));
      await storeErasure(tx, { ...row, forgottenBy, waits, holder: isOver ? undefined : row.holder });
    });
  }

  private async known(erasureId: string): Promise<ErasureRow> {
    const row = await findErasure(this.parts.db, erasureId);
    if (!row) throw new Rejected<ErasureRefusal>('unknown-erasure', `erasure_id: there is no erasure ${erasureId}`);
    return row;
  }

  private async going(party: Party, contractId: string): Promise<ErasureRow | undefined> {
    return (await openErasures(this.parts.db)).find(({ holder }) =>
      holder !== undefined && sameParty(holder.party, party) && sameId(holder.contractId, contractId));
  }

  private async holder(party: Party, contractId: string, at: string): Promise<Holder> {
    const tokens = (await tokensOfContract(this.parts.db, { party, contractId })).map((text) => JSON.parse(text) as Token);
    return {
      party, contractId, at,
      tokenUids: tokens.map(({ uid }) => uid),
      visualNumbers: tokens.flatMap(({ visual_number: number }) => (number === undefined ? [] : [number])),
      otherContractIds: await otherContracts(this.parts.db, { party, contractId }),
    };
  }

  /** What every service holds, and what stands against forgetting it. */
  private async look(holder: Holder) {
    const others = forgetters.filter((service) => service !== 'cdr-ledger');
    const seen = await Promise.all(others.map((service) => this.ask(service, holder, [])));
    const sessionIds = seen.flatMap((one) => one.sessionIds);
    const all = [...seen, await this.ask('cdr-ledger', holder, sessionIds)];
    return { kept: all.flatMap(({ kept }) => kept), hindrances: all.flatMap(({ hindrances }) => hindrances) };
  }

  private async ask(service: Forgetter, holder: Holder, sessionIds: string[]): Promise<Previewed> {
    try {
      return await this.parts.bus.ask(previewErasure(service), {
        holder: toldHolder(holder), sessionIds,
      }, { timeoutMs: LOOKS_WITHIN_MS });
    } catch (error) {
      if (!isAskFailure(error)) throw error;
      const detail = `${service} does not say what it holds, so nothing is erased: look whether it runs, and try again`;
      return { kept: [], sessionIds: [], hindrances: [{ service, code: 'service-not-answering', detail }] };
    }
  }
}

type Previewed = Pick<ErasurePreviewed, 'sessionIds'> & Pick<Standing, 'kept' | 'hindrances'>;

const NOTHING_DONE = { erasureId: undefined, forgottenBy: [], waits: {}, isOver: false };

function standing({ kept, holder, ...row }: ErasureRow): Standing {
  return {
    ...row, hindrances: [], isOver: holder === undefined,
    kept: kept.map(({ count, ...one }) => ({ ...one, count: BigInt(count) })),
  };
}

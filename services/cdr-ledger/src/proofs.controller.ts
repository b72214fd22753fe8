import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { toJsonBytes } from '#contracts';
import { type GetAccountLineProof, getAccountLineProof } from '#contracts/accounts';
import { type VerifyLedger, verifyLedger } from '#contracts/cdr-ledger';
import {
  type ExportCdrs,
  exportCdrs,
  type ExportLedger,
  exportLedger,
  type GetConsistencyProof,
  getConsistencyProof,
  type GetHeads,
  getHeads,
  type GetReceiptProof,
  getReceiptProof,
  type ListProjections,
  listProjections,
  type RebuildProjection,
  rebuildProjection,
} from '#contracts/ledger';
import { ocpiParty } from '#contracts/party';
import { Csv } from './cdr-csv.ts';
import { Exporting } from './exporting.ts';
import { Projections } from './projections.ts';
import type { MeantLedger } from './ledgers.ts';
import { Proofs } from './proofs.ts';
import { Retail } from './retail.ts';

@Controller()
export class ProofsController {
  constructor(
    @Inject(Proofs) private readonly proofs: Proofs,
    @Inject(Exporting) private readonly exporting: Exporting,
    @Inject(Csv) private readonly csv: Csv,
    @Inject(Projections) private readonly projections: Projections,
    @Inject(Retail) private readonly retail: Retail,
  ) {}

  @Answers(verifyLedger)
  verify(requests: VerifyLedger[]) {
    return each(requests, async () => ({
      chains: (await this.proofs.verify()).map(({ ledger, chain: { entries, head }, problem }) => ({
        chain: ledger,
        entries,
        head: Buffer.from(head).toString('hex'),
        intact: problem === undefined,
        problem: problem ?? '',
      })),
    }));
  }

  @Answers(getHeads)
  heads(requests: GetHeads[]) {
    return each(requests, async ({ afterDay, ...meant }) => ({
      heads: (await this.proofs.heads(afterDay, this.ledger(meant))).map(({ signed }) => signed),
      keys: [...this.proofs.keys],
    }));
  }

  @Answers(getReceiptProof)
  receipt(requests: GetReceiptProof[]) {
    return each(requests, async ({ party, cdrId, withPrivate }) => ({
      proofJson: toJsonBytes(await this.proofs.receipt(ocpiParty(party!), cdrId, withPrivate)),
    }));
  }

  @Answers(getConsistencyProof)
  consistency(requests: GetConsistencyProof[]) {
    return each(requests, async ({ olderDay, newerDay, ...meant }) =>
      this.proofs.consistency(olderDay, newerDay, this.ledger(meant)),
    );
  }

  @Answers(exportLedger)
  export(requests: ExportLedger[]) {
    return each(requests, async ({ cursor, ...meant }) =>
      pageOf(await this.exporting.page(cursor || undefined, this.ledger(meant))),
    );
  }

  @Answers(getAccountLineProof)
  accountLine(requests: GetAccountLineProof[]) {
    return each(requests, async ({ contractId, lineId, forDriver }) => {
      const position = await this.retail.accounts.lineAt(contractId, lineId, { forDriver });
      return { proofJson: toJsonBytes(await this.proofs.entryAt(position, { about: `line ${lineId}` })) };
    });
  }

  /** Throws Rejected for accounts where none are kept. */
  private ledger({ accounts, ownParty }: Pick<GetHeads, 'accounts' | 'ownParty'>): MeantLedger {
    const kind = accounts && this.retail.accounts ? 'accounts' : 'cdrs';
    return { kind, ownParty: ownParty && ocpiParty(ownParty) };
  }

  @Answers(exportCdrs)
  exportCdrs(requests: ExportCdrs[]) {
    return each(requests, async ({ cursor, dateFrom: from, dateTo: to, asJsonLines }) =>
      pageOf(await this.csv.page({ from, to, asJsonLines }, cursor || undefined)),
    );
  }

  @Answers(listProjections)
  list(requests: ListProjections[]) {
    return each(requests, async () => ({ projections: await this.projections.list() }));
  }

  @Answers(rebuildProjection)
  rebuild(requests: RebuildProjection[]) {
    return each(requests, async ({ name }) => ({ projection: await this.projections.rebuild(name) }));
  }
}

function pageOf({ lines, next }: { readonly lines: Buffer; readonly next: string | undefined }) {
  return { lines: new Uint8Array(lines), next: next ?? '' };
}

import { Controller, Inject } from '@nestjs/common';
import { Answers, each, Hears, withinOneAnswer } from '#bus';
import { toJsonBytes } from '#contracts';
import { type AgreementChanged, agreementChanged, agreementJson } from '#contracts/agreements';
import {
  type GetStatement, getStatement, type ListStatementLines, listStatementLines,
} from '#contracts/cdr-ledger';
import { ocpiParty } from '#contracts/party';
import type { AgreementTerms } from '#settlement';
import { Settling } from './settling.ts';

@Controller()
export class SettlementController {
  constructor(@Inject(Settling) private readonly settling: Settling) {}

  @Hears(agreementChanged)
  agreed({ partner, version, agreement, at }: AgreementChanged) {
    // What is granted is nothing that anybody settles by.
    const { grants: _, ...terms } = agreementJson(agreement!) as unknown as AgreementTerms;
    return this.settling.noteAgreement({ partner: ocpiParty(partner!), version, terms, at });
  }

  @Answers(getStatement)
  statement(requests: GetStatement[]) {
    return each(requests, async ({ partner, month, ownParty }) => {
      const own = ownParty && ocpiParty(ownParty);
      const { statement, notes, text } = await this.settling.statement(ocpiParty(partner!), month, own);
      return { statementJson: toJsonBytes(statement), notesJson: toJsonBytes(notes), text };
    });
  }

  @Answers(listStatementLines)
  lines(requests: ListStatementLines[]) {
    return each(requests, async ({ partner, month, after, limit, ownParty }) => {
      const own = ownParty && ocpiParty(ownParty);
      const found = await this.settling.lines(ocpiParty(partner!), month, { after, limit }, own);
      const lines = found.map(({ line, next }) => ({ json: toJsonBytes(line), next }));
      const page = withinOneAnswer(lines, ({ json }) => json);
      return { linesJson: page.map(({ json }) => json), next: page.at(-1)?.next ?? '' };
    });
  }
}

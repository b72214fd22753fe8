import { randomUUID } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { type Asked, Answers, each, withinOneAnswer } from '#bus';
import { toJsonBytes } from '#contracts';
import { Rejected } from '#decider';
import {
  type CorrectCdr,
  correctCdr,
  type GetCdr,
  getCdr,
  type ListCdrs,
  listCdrs,
  type ListReceivedCdrs,
  listReceivedCdrs,
  type ListTokenCdrs,
  listTokenCdrs,
  type ReceiveCdr,
  receiveCdr,
} from '#contracts/cdr-ledger';
import { busParty, Change, ocpiParty } from '#contracts/party';
import { explanationJson } from '#pricing';
import { contractFindings, jsonOf, meantJsonOf } from './answers.ts';
import { CdrLedger } from './cdr-ledger.ts';
import { explained } from './explained.ts';
import { planLanguage } from './plan-words.ts';

const PAGE_MAX = 1_000;

function positionOf(cursor: string): bigint {
  if (cursor === '') return 0n;
  if (!/^\d{1,18}$/.test(cursor)) throw new Rejected('invalid-cursor', 'after: is none that this ledger gave');
  return BigInt(cursor);
}

@Controller()
export class AskController {
  constructor(@Inject(CdrLedger) private readonly ledger: CdrLedger) {}

  @Answers(receiveCdr)
  receive(requests: ReceiveCdr[]) {
    return each(requests, async ({ bodyJson }) => {
      const { isNew, cdr, findings, recordedAt } = await this.ledger.receive(bodyJson);
      return {
        change: isNew ? Change.CREATED : Change.UNCHANGED,
        party: busParty(cdr),
        cdrId: cdr.id,
        findings: contractFindings(findings),
        recordedAt,
      };
    });
  }

  @Answers(listCdrs)
  list(requests: ListCdrs[]) {
    return each(requests, async ({ tokenParties, anyToken, page, owner }) => {
      const { offset = 0, limit = 0, dateFrom: from, dateTo: to } = page ?? {};
      const window = { from, to, offset, limit: Math.min(limit || PAGE_MAX, PAGE_MAX) };
      const { cdrs, total } = await this.ledger.page(
        anyToken ? 'anybody' : tokenParties.map(ocpiParty),
        window,
        owner && ocpiParty(owner),
      );
      return { objectsJson: withinOneAnswer(cdrs.map(meantJsonOf), (json) => json), total };
    });
  }

  @Answers(listReceivedCdrs)
  listReceived(requests: ListReceivedCdrs[]) {
    return each(requests, async ({ issuer, dateFrom: from, dateTo: to, inDoubt, limit: asked, after }) => {
      const limit = Math.min(asked, PAGE_MAX);
      const cdrs = await this.ledger.received({
        issuer: issuer && ocpiParty(issuer), from, to, inDoubt, limit, after: positionOf(after),
      });
      const found = cdrs.map((cdr) => ({ cdr, json: jsonOf(cdr) }));
      const page = withinOneAnswer(found, ({ json }) => json);
      const isLast = page.length === found.length && found.length < limit;
      return {
        cdrsJson: page.map(({ json }) => json),
        found: page.map(({ cdr: { findings } }) => ({ findings: contractFindings(findings) })),
        next: isLast ? '' : String(page.at(-1)?.cdr.position ?? ''),
      };
    });
  }

  @Answers(getCdr)
  get(requests: GetCdr[]) {
    return each(requests, async ({ party, cdrId, language, asMeant }) => {
      const listed = await this.ledger.find(ocpiParty(party!), cdrId);
      if (!listed) return {};
      const { explanation, text, repriced } = explained(listed, planLanguage(language));
      return {
        cdrJson: asMeant ? meantJsonOf(listed) : jsonOf(listed),
        findings: contractFindings(listed.findings),
        explanationJson: toJsonBytes(explanationJson(explanation)),
        explanationText: text,
        repricedExclVat: repriced?.exclVat ?? '',
        ...(repriced?.inclVat === undefined ? {} : { repricedInclVat: repriced.inclVat }),
      };
    });
  }

  @Answers(listTokenCdrs)
  listOfToken(requests: ListTokenCdrs[]) {
    return each(requests, async ({ tokenParty, tokenUid, limit }) => {
      const cdrs = await this.ledger.ofToken(
        ocpiParty(tokenParty!),
        tokenUid,
        Math.min(limit || 100, PAGE_MAX),
      );
      return { cdrsJson: withinOneAnswer(cdrs.map(meantJsonOf), (json) => json) };
    });
  }

  @Answers(correctCdr)
  correct(requests: CorrectCdr[], { commandIds }: Asked) {
    return each(requests, async (request, n) => {
      const { creditCdrId, replacementCdrId, tokenParty } = await this.ledger.correct({
        ...request,
        // Without one, each order is an order of its own.
        commandId: commandIds[n] || randomUUID(),
      });
      return { creditCdrId, tokenParty: busParty(tokenParty), ...(replacementCdrId === undefined ? {} : { replacementCdrId }) };
    });
  }
}

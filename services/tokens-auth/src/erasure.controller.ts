import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import {
  type EraseContract, eraseContract, type Forgetter, forgetters, type GetErasure, getErasure, type GetErasureHolder,
  getErasureHolder, type NoteForgotten, noteForgotten,
} from '#contracts/erasure';
import { ocpiParty } from '#contracts/party';
import { toldHolder } from '#erasure';
import { Erasures, type Standing } from './erasures.ts';

@Controller()
export class ErasureController {
  constructor(@Inject(Erasures) private readonly erasures: Erasures) {}

  @Answers(eraseContract)
  erase(requests: EraseContract[]) {
    return each(requests, async ({ party, contractId, dryRun }) => {
      return answer(await this.erasures.erase(ocpiParty(party!), contractId, dryRun));
    });
  }

  @Answers(getErasure)
  find(requests: GetErasure[]) {
    return each(requests, async ({ erasureId }) => answer(await this.erasures.find(erasureId)));
  }

  @Answers(getErasureHolder)
  holder(requests: GetErasureHolder[]) {
    return each(requests, async ({ erasureId }) => {
      const holder = await this.erasures.holderOf(erasureId);
      return holder ? { holder: toldHolder(holder) } : {};
    });
  }

  @Answers(noteForgotten)
  note(requests: NoteForgotten[]) {
    return each(requests, async ({ erasureId, service, waitsFor }) => {
      await this.erasures.note(erasureId, service as Forgetter, waitsFor);
      return {};
    });
  }
}

function answer({ erasureId, at, kept, hindrances, forgottenBy, waits, isOver }: Standing) {
  const awaited = erasureId === undefined || isOver ? [] : forgetters.filter((service) => !forgottenBy.includes(service));
  return {
    erasureId: erasureId ?? '', at,
    kept: kept.map((one) => ({ ...one })), hindrances: hindrances.map((one) => ({ ...one })),
    forgottenBy: [...forgottenBy],
    awaited: awaited.map((service) => ({ service, waitsFor: waits[service] ?? '' })),
  };
}

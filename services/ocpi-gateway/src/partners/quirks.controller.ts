import { Controller, Inject } from '@nestjs/common';
import { Answers, each } from '#bus';
import { type ChooseQuirks, chooseQuirks, type ListQuirks, listQuirks } from '#contracts/ocpi-gateway';
import { type PartnerQuirk, PartnerQuirks } from './partner-quirks.ts';

@Controller()
export class QuirksController {
  constructor(@Inject(PartnerQuirks) private readonly quirks: PartnerQuirks) {}

  @Answers(listQuirks)
  list(requests: ListQuirks[]) {
    return each(requests, async ({ partnerId }) => ({ quirks: (await this.quirks.of(partnerId)).map(view) }));
  }

  @Answers(chooseQuirks)
  choose(requests: ChooseQuirks[]) {
    return each(requests, async ({ partnerId, ...choice }) => ({ quirks: (await this.quirks.choose(partnerId, choice)).map(view) }));
  }
}

function view({ name, what, rule, seen, accepted = '', chosen = '', sighted, chosenAt, isSuggested }: PartnerQuirk) {
  return {
    name, what, rule, seen, accepted, chosen, suggested: isSuggested, times: sighted?.times ?? 0,
    ...(sighted ? { firstAt: sighted.firstAt, lastAt: sighted.lastAt, detail: sighted.detail } : {}),
    ...(chosenAt === undefined ? {} : { chosenAt }),
  };
}

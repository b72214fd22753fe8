import { Controller, Inject } from '@nestjs/common';
import { Answers, each, withinOneAnswer } from '#bus';
import {
  type ApprovePartner, approvePartner, type AuthorizeAtPartner, authorizeAtPartner, type EndPartner, endPartner,
  type GetPartnerProfile, getPartnerProfile, type InvitedParty, type InvitePartner, invitePartner,
  type ListDeadLetters, listDeadLetters, listPartners, type ListPartners, type RegisterPartner, registerPartner,
  type RenewPartner, renewPartner, type ReplayDeadLetters, replayDeadLetters, type SendCommand, sendCommand,
  SendOutcome, type SendProfileRequest, sendProfileRequest,
} from '#contracts/ocpi-gateway';
import { toJsonBytes } from '#contracts';
import { type Party, Role } from '#ocpi';
import type { SentCommand } from './command-rows.ts';
import { OcpiGateway } from './ocpi-gateway.ts';
import { fromBus, type Partner, toBus } from './partners/partner.ts';
import { OperatorDesk } from './partners/operator-desk.ts';
import type { Waiting } from './partners/partner-rows.ts';
import { PartnerProfiles } from './partner-profiles.ts';
import { Partners } from './partners/partners.ts';
import type { KeptRequest } from './profile-rows.ts';
import type { PushedKey } from './pushes/pushed-rows.ts';

const outcomeOf: Readonly<Record<SentCommand['outcome'], SendOutcome>> = {
  answered: SendOutcome.ANSWERED,
  unreachable: SendOutcome.UNREACHABLE,
  unclear: SendOutcome.UNCLEAR,
  'no-partner': SendOutcome.NO_PARTNER,
};

@Controller()
export class AskController {
  constructor(
    @Inject(OcpiGateway) private readonly gateway: OcpiGateway,
    @Inject(Partners) private readonly partners: Partners,
    @Inject(OperatorDesk) private readonly desk: OperatorDesk,
    @Inject(PartnerProfiles) private readonly profiles: PartnerProfiles,
  ) {}

  @Answers(sendCommand)
  sendCommand(requests: SendCommand[]) {
    return each(requests, async ({ party, from, ...command }) => {
      const { outcome, ...sent } = await this.gateway.sendCommand({ ...command, party: fromBus(party!), from: from && fromBus(from) });
      return { ...sent, outcome: outcomeOf[outcome] };
    });
  }

  @Answers(authorizeAtPartner)
  authorizeAtPartner(requests: AuthorizeAtPartner[]) {
    return each(requests, async ({ party, from, ...question }) => {
      const { outcome, info } = await this.gateway.authorize({ ...question, party: fromBus(party!), from: from && fromBus(from) });
      return { outcome: outcomeOf[outcome], ...(info ? { authorizationInfoJson: toJsonBytes(info) } : {}) };
    });
  }

  @Answers(sendProfileRequest)
  sendProfile(requests: SendProfileRequest[]) {
    return each(requests, async ({ party, from, ...wish }) =>
      stands(await this.profiles.send({ ...wish, party: fromBus(party!), from: from && fromBus(from) })));
  }

  @Answers(getPartnerProfile)
  partnerProfile(requests: GetPartnerProfile[]) {
    return each(requests, async ({ party, sessionId }) => {
      const { requests: made, active } = await this.profiles.find(fromBus(party!), sessionId);
      return { requests: made.map(stands), ...(active ? { activeJson: toJsonBytes(active.text), activeAt: active.at } : { activeAt: '' }) };
    });
  }

  @Answers(invitePartner)
  invitePartner(requests: InvitePartner[]) {
    return each(requests, async ({ name, parties }) => {
      const { partner, tokenA } = await this.partners.invite(name, parties.map(invitedOf));
      return { partnerId: partner.id, tokenA, versionsUrl: this.partners.versionsUrl() };
    });
  }

  @Answers(registerPartner)
  registerPartner(requests: RegisterPartner[]) {
    return each(requests, async ({ parties, ...request }) =>
      view(await this.partners.register({ ...request, invited: parties.map(invitedOf) })),
    );
  }

  @Answers(listPartners)
  listPartners(requests: ListPartners[]) {
    return each(requests, async () => ({
      partners: (await this.desk.list()).map(({ partner, waiting, notCarried, suggestedQuirks, reached }) =>
        ({ ...view(partner, waiting, notCarried), suggestedQuirks: [...suggestedQuirks], ...(reached ? { reached } : {}) })),
    }));
  }

  @Answers(listDeadLetters)
  listDeadLetters(requests: ListDeadLetters[]) {
    return each(requests, async ({ partnerId, after, limit }) => {
      const { letters, total } = await this.desk.letters(partnerId, after && keyOf(after), Math.min(limit, LETTERS_MAX));
      const found = letters.map(({ key, current, reason, since, version }) => ({
        key: { module: key.module, objectId: key.objectKey }, reason, since, version,
        ...(current === undefined ? {} : { bodyJson: toJsonBytes(current) }),
      }));
      return { letters: withinOneAnswer(found, ({ bodyJson }) => bodyJson ?? new Uint8Array()), total };
    });
  }

  @Answers(replayDeadLetters)
  replayDeadLetters(requests: ReplayDeadLetters[]) {
    return each(requests, async ({ partnerId, module, objectId: objectKey }) =>
      ({ queued: await this.desk.replay(partnerId, { module, objectKey }) }));
  }

  @Answers(renewPartner)
  renewPartner(requests: RenewPartner[]) {
    return each(requests, async ({ partnerId }) => {
      const { partner, waiting } = await this.partners.rotate(partnerId);
      return view(partner, waiting);
    });
  }

  @Answers(approvePartner)
  approvePartner(requests: ApprovePartner[]) {
    return each(requests, async ({ partnerId, parties }) => view(await this.partners.approve(partnerId, parties.map(invitedOf))));
  }

  @Answers(endPartner)
  endPartner(requests: EndPartner[]) {
    return each(requests, ({ partnerId }) => this.partners.endByOperator(partnerId));
  }
}

type Asked = KeptRequest & { readonly provider?: (Party & { readonly name: string }) | undefined };

function stands({ orderId, method, sent, result, at, profile, provider }: Asked) {
  const { outcome = 'unclear', result: response = '', message = 'there is no answer yet', timeoutS = 0 } = sent ?? {};
  return {
    orderId, method, outcome: outcomeOf[outcome], response, message, timeoutS, at, ...(result === undefined ? {} : { result }),
    ...(profile ? { profileJson: toJsonBytes(profile) } : {}), ...(provider ? { provider: toBus(provider), providerName: provider.name } : {}),
  };
}

const LETTERS_MAX = 100;

function keyOf({ module, objectId: objectKey }: { module: string; objectId: string }) {
  return { module: module as PushedKey['module'], objectKey };
}

function invitedOf({ party, roles }: InvitedParty) {
  return { ...fromBus(party!), roles: roles.map((role) => Role.parse(role)) };
}

function view(partner: Partner, waiting?: Waiting, notCarried: readonly string[] = []) {
  return {
    partnerId: partner.id,
    name: partner.name,
    state: partner.state,
    version: partner.version,
    versionsUrl: partner.versionsUrl,
    waiting: waiting?.objects ?? 0,
    ...(waiting?.since === undefined ? {} : { waitingSince: waiting.since }),
    deadLetters: waiting?.deadLetters ?? 0,
    failedAttempts: waiting?.failedAttempts ?? 0,
    line: waiting?.line ?? { state: 'closed' },
    lastError: partner.lastError,
    notCarried: [...notCarried],
    quirks: Object.keys(partner.quirks),
    invited: partner.invited.map(({ roles, ...party }) => ({ party: toBus(party), roles: [...roles] })),
    roles: partner.roles.map((role) => ({ role: role.role, party: toBus(role), name: role.business_details.name })),
    behind: partner.behind.map(toBus),
  };
}

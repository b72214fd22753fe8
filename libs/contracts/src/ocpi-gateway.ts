import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  ApprovePartnerSchema,
  AuthorizeAtPartnerSchema,
  CdrDeliveredSchema,
  ChooseQuirksSchema,
  CommandSentSchema,
  DeadLettersListedSchema,
  DeadLettersReplayedSchema,
  DeliveryFailedSchema,
  DifferencesListedSchema,
  EndPartnerSchema,
  GetPartnerProfileSchema,
  InvitePartnerSchema,
  ListDeadLettersSchema,
  ListDifferencesSchema,
  ListPartnersSchema,
  ListQuirksSchema,
  PartnerAuthorizedSchema,
  PartnerEndedSchema,
  PartnerProfileFoundSchema,
  ProfileRequestStandsSchema,
  PartnerInvitedSchema,
  PartnerRegisteredSchema,
  PartnerViewSchema,
  PartnersListedSchema,
  PartyLinkChangedSchema,
  PullOrderedSchema,
  PullPartnerSchema,
  QuirksListedSchema,
  RegisterPartnerSchema,
  RenewPartnerSchema,
  ReplayDeadLettersSchema,
  SendCommandSchema,
  SendProfileRequestSchema,
} from './gen/roamwatt/ocpi_gateway/v1/ocpi_gateway_pb.ts';

export {
  type ApprovePartner,
  type AuthorizeAtPartner,
  AuthorizeAtPartnerSchema,
  type CdrDelivered,
  CdrDeliveredSchema,
  type ChooseQuirks,
  type CommandSent,
  CommandSentSchema,
  type DeadLetter,
  type DeadLettersListed,
  type DeliveryFailed,
  DeliveryFailedSchema,
  type EndPartner,
  type FoundDifference,
  type GetPartnerProfile,
  type ProfileRequestStands,
  type SendProfileRequest,
  SendProfileRequestSchema,
  type InvitedParty,
  type InvitePartner,
  InvitePartnerSchema,
  type ListDeadLetters,
  type ListDifferences,
  type ListPartners,
  type ListQuirks,
  ListPartnersSchema,
  type PartnerAuthorized,
  PartnerAuthorizedSchema,
  type PartnerInvited,
  PartnerInvitedSchema,
  type PartnerRegistered,
  PartnerRegisteredSchema,
  type PartnerRole,
  PartnerRoleSchema,
  type PartnerQuirk,
  type PartnerView,
  PartnerViewSchema,
  type PartnersListed,
  PartnersListedSchema,
  type PartyLinkChanged,
  PartyLinkChangedSchema,
  type RegisterPartner,
  RegisterPartnerSchema,
  type PullPartner,
  type RenewPartner,
  RenewPartnerSchema,
  type ReplayDeadLetters,
  type SendCommand,
  SendCommandSchema,
  SendOutcome,
} from './gen/roamwatt/ocpi_gateway/v1/ocpi_gateway_pb.ts';

const context = 'ocpi-gateway';

export const sendCommand = ask({
  context,
  verb: 'send-command',
  alone: true,
  request: SendCommandSchema,
  answer: CommandSentSchema,
  check: filled('orderId', 'party', 'command', 'bodyJson'),
});

export const sendProfileRequest = ask({
  context,
  verb: 'send-profile-request',
  alone: true,
  request: SendProfileRequestSchema,
  answer: ProfileRequestStandsSchema,
  check: filled('orderId', 'party', 'sessionId', 'method'),
});

export const getPartnerProfile = ask({
  context,
  verb: 'get-partner-profile',
  alone: true,
  request: GetPartnerProfileSchema,
  answer: PartnerProfileFoundSchema,
  check: filled('party', 'sessionId'),
});

export const authorizeAtPartner = ask({
  context,
  verb: 'authorize-at-partner',
  alone: true,
  request: AuthorizeAtPartnerSchema,
  answer: PartnerAuthorizedSchema,
  check: filled('party', 'uid', 'type'),
});

export const invitePartner = ask({
  context,
  verb: 'invite-partner',
  request: InvitePartnerSchema,
  answer: PartnerInvitedSchema,
  check: filled('name'),
});

export const registerPartner = ask({
  context,
  verb: 'register-partner',
  request: RegisterPartnerSchema,
  answer: PartnerViewSchema,
  check: filled('name', 'versionsUrl', 'tokenA'),
});

export const approvePartner = ask({
  context,
  verb: 'approve-partner',
  request: ApprovePartnerSchema,
  answer: PartnerViewSchema,
  check: filled('partnerId'),
});

export const listPartners = ask({
  context,
  verb: 'list-partners',
  request: ListPartnersSchema,
  answer: PartnersListedSchema,
  check: filled(),
});

export const listDeadLetters = ask({
  context,
  verb: 'list-dead-letters',
  request: ListDeadLettersSchema,
  answer: DeadLettersListedSchema,
  check: filled('partnerId', 'limit'),
});

export const replayDeadLetters = ask({
  context,
  verb: 'replay-dead-letters',
  request: ReplayDeadLettersSchema,
  answer: DeadLettersReplayedSchema,
  check: filled('partnerId'),
});

export const renewPartner = ask({
  context,
  verb: 'renew-partner',
  request: RenewPartnerSchema,
  answer: PartnerViewSchema,
  check: filled('partnerId'),
});

export const endPartner = ask({
  context,
  verb: 'end-partner',
  request: EndPartnerSchema,
  answer: PartnerEndedSchema,
  check: filled('partnerId'),
});

export const pullPartner = ask({
  context,
  verb: 'pull-partner',
  request: PullPartnerSchema,
  answer: PullOrderedSchema,
  check: filled('partnerId'),
});

export const listDifferences = ask({
  context,
  verb: 'list-differences',
  request: ListDifferencesSchema,
  answer: DifferencesListedSchema,
  check: filled('partnerId', 'limit'),
});

export const listQuirks = ask({
  context,
  verb: 'list-quirks',
  request: ListQuirksSchema,
  answer: QuirksListedSchema,
  check: filled('partnerId'),
});

export const chooseQuirks = ask({
  context,
  verb: 'choose-quirks',
  request: ChooseQuirksSchema,
  answer: QuirksListedSchema,
  check: filled('partnerId'),
});

export const partnerRegistered = tell({
  context,
  thing: 'partner',
  happened: 'registered',
  fact: PartnerRegisteredSchema,
  key: (fact) => fact.partnerId,
  check: filled('partnerId', 'roles'),
});

export const partyLinkChanged = tell({
  context,
  thing: 'party',
  happened: 'link-changed',
  fact: PartyLinkChangedSchema,
  key: ({ party }) => `${party!.countryCode}*${party!.partyId}`.toUpperCase(),
  check: filled('party', 'at'),
});

export const cdrDelivered = tell({
  context,
  thing: 'cdr',
  happened: 'delivered',
  fact: CdrDeliveredSchema,
  key: (fact) => fact.cdrId,
  check: filled('cdrId', 'tokenParty'),
});

export const deliveryFailed = tell({
  context,
  thing: 'delivery',
  happened: 'failed',
  fact: DeliveryFailedSchema,
  key: (fact) => fact.partnerId,
  check: filled('partnerId', 'module'),
});

import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  ActiveProfileChangedSchema,
  ActiveProfileFoundSchema,
  ClearChargingProfileSchema,
  ExplainPlanSchema,
  FeederOverloadSchema,
  GetActiveProfileSchema,
  LimitAssignedSchema,
  PlanExplainedSchema,
  ProfileSettledSchema,
  ProfileTakenSchema,
  SetChargingProfileSchema,
} from './gen/roamwatt/evems_controller/v1/evems_controller_pb.ts';

export {
  type ActiveProfileChanged,
  ActiveProfileChangedSchema,
  type ClearChargingProfile,
  ClearChargingProfileSchema,
  type ExplainPlan,
  ExplainPlanSchema,
  type FeederOverload,
  FeederOverloadSchema,
  type GetActiveProfile,
  GetActiveProfileSchema,
  type LimitAssigned,
  LimitAssignedSchema,
  type LimitProfile,
  LimitProfileSchema,
  type PlanExplained,
  PlanExplainedSchema,
  type PlannedLimit,
  PlannedLimitSchema,
  type ProfileSettled,
  ProfileSettledSchema,
  type SetChargingProfile,
  SetChargingProfileSchema,
} from './gen/roamwatt/evems_controller/v1/evems_controller_pb.ts';

const context = 'evems-controller';

export const explainPlan = ask({
  context,
  verb: 'explain-plan',
  request: ExplainPlanSchema,
  answer: PlanExplainedSchema,
  check: filled('siteId'),
});

export const limitAssigned = tell({
  context,
  thing: 'limit',
  happened: 'assigned',
  fact: LimitAssignedSchema,
  key: (fact) => fact.siteId,
  check: filled('siteId', 'stationId', 'at'),
});

export const feederOverload = tell({
  context,
  thing: 'feeder',
  happened: 'overload',
  fact: FeederOverloadSchema,
  key: (fact) => fact.siteId,
  check: filled('siteId', 'at'),
});

export const setChargingProfile = ask({
  context,
  verb: 'set-charging-profile',
  request: SetChargingProfileSchema,
  answer: ProfileTakenSchema,
  check: filled('orderId', 'stationId', 'transactionId', 'sessionId', 'profile', 'wattsPerAmp'),
});

export const clearChargingProfile = ask({
  context,
  verb: 'clear-charging-profile',
  request: ClearChargingProfileSchema,
  answer: ProfileTakenSchema,
  check: filled('orderId', 'stationId', 'transactionId'),
});

export const getActiveProfile = ask({
  context,
  verb: 'get-active-profile',
  request: GetActiveProfileSchema,
  answer: ActiveProfileFoundSchema,
  check: filled('stationId', 'transactionId', 'wattsPerAmp'),
});

export const profileSettled = tell({
  context,
  thing: 'profile',
  happened: 'settled',
  fact: ProfileSettledSchema,
  key: (fact) => fact.siteId,
  check: filled('siteId', 'orderId', 'sessionId', 'at'),
});

export const activeProfileChanged = tell({
  context,
  thing: 'active-profile',
  happened: 'changed',
  fact: ActiveProfileChangedSchema,
  key: (fact) => fact.siteId,
  check: filled('siteId', 'sessionId', 'profile', 'at'),
});

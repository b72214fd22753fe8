import { ask, tell } from '#bus';
import { filled } from './filled.ts';
import {
  ExplainPlanSchema,
  FeederOverloadSchema,
  LimitAssignedSchema,
  PlanExplainedSchema,
} from './gen/roamwatt/evems_controller/v1/evems_controller_pb.ts';

export {
  type ExplainPlan,
  ExplainPlanSchema,
  type FeederOverload,
  FeederOverloadSchema,
  type LimitAssigned,
  LimitAssignedSchema,
  type PlanExplained,
  PlanExplainedSchema,
  type PlannedLimit,
  PlannedLimitSchema,
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

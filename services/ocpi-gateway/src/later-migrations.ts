import type { MigrationList } from '#postgres';

export const later: MigrationList = [
  // A list that stopped before then begins anew.
  { name: 'ocpi-gateway-pulls-anew', up: () => ['ALTER TABLE pulls ADD COLUMN endpoint text, ADD COLUMN unlinked int NOT NULL DEFAULT 0'] },
  {
    name: 'ocpi-gateway-steering',
    up: () => [
      'ALTER TABLE profile_followers DROP CONSTRAINT profile_followers_pkey, ADD PRIMARY KEY (session_id, partner_id)',
      'ALTER TABLE profile_followers ADD COLUMN obeyed boolean NOT NULL DEFAULT true  -- false: set, and not obeyed yet',
      'ALTER TABLE profile_followers ADD COLUMN steered_by text  -- CA*SMC, who set it by a grant',
      'CREATE INDEX profile_followers_of ON profile_followers (partner_id)',
    ],
  },
];

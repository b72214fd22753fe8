export { type Migrated, type TestPlatform, testPlatform } from './test-platform.ts';
export { copiedDatabase, dropStreams, type FreshDatabase, freshDatabase, freshPlatform, natsUrl } from './test-servers.ts';

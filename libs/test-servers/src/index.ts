export { type TestPlatform, testPlatform } from './test-platform.ts';
export { type FreshDatabase, freshDatabase, freshPlatform, natsUrl } from './test-servers.ts';

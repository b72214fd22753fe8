export { freshDatabase, freshPlatform, natsUrl, type FreshDatabase } from './test-servers.ts';

export { startSearch, type SearchDeps } from './component.ts';
export { searchReads, type SearchReads, type SearchReadsDeps } from './reads.ts';
export { searchMigrations } from './storage/migrations/index.ts';

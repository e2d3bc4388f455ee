export { startSearch, type SearchDeps } from './component.ts';
export type { SearchDocument } from './documents/document.ts';
export type { IndexRef, SearchEngine } from './engines/engine.ts';
export { openEngines } from './engines/open-engines.ts';
export { searchReads, type SearchReads, type SearchReadsDeps } from './reads.ts';
export { searchMigrations } from './storage/migrations/index.ts';

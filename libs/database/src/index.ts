export { databaseAway } from './away.ts';
export { openDatabase, sqlState, transact, type Database } from './database.ts';
export { allotPositions, appendToLog, createLogTable, insertFacts, lastPosition, lockLog } from './log.ts';
export { declaredIndexes, type Index, pendingMigrations, storedIndexes } from './schema.ts';
export { migrate, sqlMigration, type Migrations } from './migrate.ts';
export {
  countAllOwned,
  deleteOwned,
  deleteOwnedPage,
  type OwnedCursor,
  type OwnedRows,
  type RowCursor,
} from './owned-rows.ts';

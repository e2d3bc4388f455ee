export { openDatabase, sqlState, transact, type Database } from './database.ts';
export { allotPositions, appendToLog, createLogTable, lastPosition, lockLog } from './log.ts';
export { migrate, sqlMigration, type Migrations } from './migrate.ts';

export { accountTypes } from './userapi.ts';
export * from './command.ts';
export * as userapi from './userapi.ts';
export * as roomserver from './roomserver.ts';
export * as syncapi from './syncapi.ts';
export type * from './userapi.ts';
export type * from './roomserver.ts';
export type * from './roomserver-reads.ts';
export type * from './syncapi.ts';

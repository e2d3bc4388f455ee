export { type Host, run } from './cli.ts';

export { adminGateway } from './gateway.ts';

export { clientGateway } from './gateway.ts';

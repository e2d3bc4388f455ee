export { clientEndpoints } from './endpoints/index.ts';
export { clientGateway } from './gateway.ts';

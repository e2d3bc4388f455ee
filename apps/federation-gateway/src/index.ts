export { federationGateway } from './gateway.ts';

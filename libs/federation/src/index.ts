export { startFederation, type FederationDeps } from './component.ts';
export { signRequest } from './transport/x-matrix.ts';
export { serverKeys, type ServerKeys } from './server-keys.ts';
export { loadSigner, loadSigningKey } from './signing-key.ts';
export { federationForAdmin, federationKeys, federationReads, type FederationReads } from './reads.ts';
export { federationMigrations } from './storage/migrations/index.ts';

export { removeKeys, startBus, type TestBusOptions } from './buses.ts';
export { TestClient } from './client.ts';
export { rowsOf, type TestDatabase, withDatabase } from './databases.ts';
export { send, type TestAnswer, type TestRequest } from './http.ts';
export { type Peer, type PeerAnswer, type PeerRequest, peerSettings, startPeer } from './peer.ts';
export { type PrivateRedis, startPrivateRedis } from './private-redis.ts';
export { startProcess, type TestProcess } from './processes.ts';
export { testServices, uniqueName } from './services.ts';
export { type Account, startWorld, testServerName, type World, type WorldOptions } from './world.ts';

/** Other homeservers alone, for programs that start no world. */
export {
  type Peer,
  type PeerAnswer,
  type PeerCertificate,
  peerCertificate,
  type PeerRequest,
  peerSettings,
  startPeer,
} from './peer.ts';
export { ask, type AskedServer, authorizationOf, joinAs, type Member, type SignedAsk } from './peer-users.ts';

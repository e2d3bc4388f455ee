import { runService, startGateway } from '@seneschal/service';

import { federationGateway } from './gateway.ts';

await runService(process, {
  name: 'federation-gateway',
  summary: 'Serves the server-server API: /_matrix/federation and /_matrix/key.',
  start: (config) => startGateway(config, 'federation-gateway', config.listen, federationGateway),
});

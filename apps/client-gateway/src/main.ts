import { runService, startGateway } from '@seneschal/service';

import { clientGateway } from './gateway.ts';

await runService(process, {
  name: 'client-gateway',
  summary: 'Serves the client-server API: /_matrix/client.',
  start: (config) => startGateway(config, 'client-gateway', config.listen, clientGateway),
});

import { federationTls, runService, startGateway } from '@seneschal/service';

import { federationGateway } from './gateway.ts';

await runService(process, {
  name: 'federation-gateway',
  summary:
    'Serves the server-server API: /_matrix/federation and /_matrix/key, on federation_listen, or on listen without it.',
  start: async (config) => {
    const at = config.federation_listen ?? config.listen;
    return startGateway(config, 'federation-gateway', at, federationGateway, await federationTls(config));
  },
});

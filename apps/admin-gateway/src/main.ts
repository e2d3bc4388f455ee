import { runService, startGateway } from '@seneschal/service';

import { adminGateway } from './gateway.ts';

await runService(process, {
  name: 'admin-gateway',
  summary: 'Serves the admin API: /_dendrite, /_synapse and whois, on admin_listen, or on listen without it.',
  start: (config) =>
    startGateway(config, 'admin-gateway', config.admin_listen ?? config.listen, adminGateway),
});

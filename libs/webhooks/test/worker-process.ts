import { Bus } from '@seneschal/bus';
import { openDatabase } from '@seneschal/database';
import { createLogger } from '@seneschal/observability';

import { Webhooks } from '../src/index.ts';
import { secret } from './fixture.ts';

const [url = '', redisUrl = '', prefix = '', receiver = ''] = process.argv.slice(2);
const logger = createLogger('silent');
const database = openDatabase({ url, maxConnections: 5, applicationName: 'webhooks', logger });
const bus = await Bus.open({ redisUrl, prefix, database, logger, concurrency: 2 });
const config = {
  server_name: 'x.test',
  webhook_urls: [receiver],
  webhook_secret: secret,
  webhook_allowed_networks: ['127.0.0.0/8'],
  job_retention: 60_000,
};
const webhooks = await Webhooks.open({ bus, database, logger, config, pollMs: 50 });
await webhooks.serve();
process.send?.('serving');

import { isServerName } from '@seneschal/matrix';
import { z } from 'zod';

import { duration, integer, isNetwork, listenAddress, listOf, onOff, setting } from './setting.ts';

const file = z.string().min(1, 'is empty').nullable();

/** How this server meets other servers. */
export const federationSettings = {
  federation_listen: setting(
    'SENESCHAL_FEDERATION_LISTEN',
    null,
    listenAddress.nullable(),
    'host:port for the server-server API alone. When set, the main listener does not serve it.',
  ),
  federation_tls_certificate: setting(
    'SENESCHAL_FEDERATION_TLS_CERTIFICATE',
    null,
    file,
    'The file with the certificate (PEM, with its chain) by which federation_listen speaks TLS; without it a proxy in front has to.',
  ),
  federation_tls_key: setting(
    'SENESCHAL_FEDERATION_TLS_KEY',
    null,
    file,
    'The file with the private key of that certificate (PEM).',
  ),
  federation_retry_min: setting(
    'SENESCHAL_FEDERATION_RETRY_MIN',
    '1m',
    duration,
    'How long a server that could not be reached is left alone the first time; each time after it twice as long.',
  ),
  federation_retry_max: setting(
    'SENESCHAL_FEDERATION_RETRY_MAX',
    '1d',
    duration,
    'The longest time that such a server is left alone.',
  ),
  federation_rate_limit: setting(
    'SENESCHAL_FEDERATION_RATE_LIMIT',
    50,
    integer(1, 100_000),
    'Requests that one other server may make in a second, over ten seconds and at each gateway; what is more is answered 429. rate_limits turns it off.',
  ),
  federation_lag_after: setting(
    'SENESCHAL_FEDERATION_LAG_AFTER',
    '10m',
    duration,
    'How long an event may wait for another server until that server is said to be behind, in the log and to webhooks.',
  ),
  federation_to_device_keep: setting(
    'SENESCHAL_FEDERATION_TO_DEVICE_KEEP',
    '30d',
    duration,
    'How long messages to devices wait for a server that does not answer; then they are dropped.',
  ),
  federation_to_device_limit: setting(
    'SENESCHAL_FEDERATION_TO_DEVICE_LIMIT',
    20_000,
    integer(100, 10_000_000),
    'Messages to devices that wait for one server that does not answer; what is more is dropped, the oldest first.',
  ),
  federation_verify_certificates: setting(
    'SENESCHAL_FEDERATION_VERIFY_CERTIFICATES',
    true,
    onOff,
    'Whether the certificates of other servers are checked. Off is for tests.',
  ),
  federation_allowed_networks: setting(
    'SENESCHAL_FEDERATION_ALLOWED_NETWORKS',
    '',
    listOf(isNetwork, 'is a list of networks such as 10.1.0.0/16, separated by commas'),
    'Networks that are exempt from the rule that no request goes to private or loopback addresses.',
  ),
  federation_key_notaries: setting(
    'SENESCHAL_FEDERATION_KEY_NOTARIES',
    '',
    listOf(isServerName, 'is a list of server names, separated by commas'),
    'Servers that are asked for the keys of servers that do not answer themselves.',
  ),
} as const;

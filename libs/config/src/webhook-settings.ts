import { isNetwork, isWebAddress, listOf, setting, sharedSecret } from './setting.ts';

/** Who is told of what happens, and how they know whom it comes from. */
export const webhookSettings = {
  webhook_urls: setting(
    'SENESCHAL_WEBHOOK_URLS',
    '',
    listOf(
      isWebAddress,
      'is a list of addresses such as https://hooks.example.org/seneschal, separated by commas',
    ),
    'Addresses that are told of reports, registrations, failed and late jobs, lagging consumers and other servers that are behind. Their paths are kept secret.',
    true,
  ),
  webhook_secret: setting(
    'SENESCHAL_WEBHOOK_SECRET',
    null,
    sharedSecret.nullable(),
    'What webhooks are signed with, so that receivers know whom they come from. Without it none are sent.',
    true,
  ),
  webhook_allowed_networks: setting(
    'SENESCHAL_WEBHOOK_ALLOWED_NETWORKS',
    '',
    listOf(isNetwork, 'is a list of networks such as 10.1.0.0/16, separated by commas'),
    'Networks that are exempt from the rule that no webhook goes to private or loopback addresses.',
  ),
} as const;

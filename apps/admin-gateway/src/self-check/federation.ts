import type { Config } from '@seneschal/config';
import { NetworkGuard } from '@seneschal/network';

import type { Check, Finding } from './finding.ts';

type FederationConfig = Pick<
  Config,
  'server_name' | 'federation_verify_certificates' | 'federation_allowed_networks'
>;

/** What stands in the way of safe traffic with other servers. */
export function federation(config: FederationConfig): Check {
  return { name: 'federation', run: () => [...certificates(config), ...networks(config), ...name(config)] };
}

function certificates({ federation_verify_certificates: areChecked }: FederationConfig): Finding[] {
  if (areChecked) return [];
  return [
    {
      id: 'certificates_not_checked',
      severity: 'critical',
      meaning:
        'The TLS certificates of other servers are not checked: whoever is on the way can read and change what is sent.',
      remedy: 'Remove federation_verify_certificates from the configuration, or set it to on.',
    },
  ];
}

function networks({ federation_allowed_networks: allowed }: FederationConfig): Finding[] {
  const guard = new NetworkGuard([]);
  const inside = allowed.filter((network) => !guard.allows(network.split('/')[0] ?? ''));
  if (inside.length === 0) return [];
  return [
    {
      id: 'federation_to_private_networks',
      severity: 'info',
      subject: inside.join(', '),
      meaning:
        'Requests to other servers may go to private addresses: a name that leads there makes this server ask them.',
      remedy:
        'Name in federation_allowed_networks no more than the addresses of servers that are really there.',
    },
  ];
}

function name({ server_name: serverName }: FederationConfig): Finding[] {
  if (!/^(localhost|[^.:[\]]+|.*\.local|.*\.internal)(:\d+)?$/.test(serverName)) return [];
  return [
    {
      id: 'server_name_is_local',
      severity: 'info',
      subject: serverName,
      meaning: `Other servers cannot find ${serverName}. The name cannot be changed once there are users.`,
      remedy:
        'Set server_name to a domain before the first users come, unless the server is to stay on its own.',
    },
  ];
}

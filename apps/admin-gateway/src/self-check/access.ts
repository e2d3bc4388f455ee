import { isIP } from 'node:net';

import type { Config } from '@seneschal/config';
import { NetworkGuard, Networks } from '@seneschal/network';

import type { Asked, Check, Finding } from './finding.ts';

type AccessConfig = Pick<
  Config,
  | 'listen'
  | 'admin_listen'
  | 'metrics_listen'
  | 'admin_allowed_networks'
  | 'trusted_proxies'
  | 'rate_limits'
  | 'registration_enabled'
  | 'registration_requires_token'
>;

const loopback = new Networks(['127.0.0.0/8', '::1']);
const guard = new NetworkGuard([]);

/** Who reaches an address that is listened on: this machine, one organisation, or anybody. */
function reachOf(host: string): 'machine' | 'network' | 'every address' | 'everybody' {
  if (host === 'localhost' || loopback.includes(host)) return 'machine';
  if (host === '0.0.0.0' || host === '::') return 'every address';
  return isIP(host) === 0 || guard.allows(host) ? 'everybody' : 'network';
}

/** Who can reach the admin API and the metrics, and how well callers are told apart. */
export function access(config: AccessConfig): Check {
  return {
    name: 'access',
    run: (asked) => [
      ...adminListener(config),
      ...metricsListener(config),
      ...theWayHere(config, asked),
      ...callers(config),
    ],
  };
}

function adminListener(config: AccessConfig): Finding[] {
  const at = config.admin_listen ?? config.listen;
  const reach = reachOf(at.host);
  if (config.admin_allowed_networks.length > 0 || reach === 'machine' || reach === 'network') return [];
  const remedy =
    'Name the networks of administrators in admin_allowed_networks, or set admin_listen to an address of this machine or of a private network.';
  const severity = reach === 'everybody' ? 'critical' : 'warning';
  if (config.admin_listen !== null) {
    const meaning = `The admin API listens on ${at.host}, which can be reached from outside unless something in front of it prevents that.`;
    return [{ id: 'admin_listener_open', severity, meaning, remedy }];
  }
  const meaning = `The admin API is served on ${at.host} together with the client API: whoever reaches the one reaches the other.`;
  return [{ id: 'admin_api_on_open_listener', severity, meaning, remedy }];
}

function metricsListener({ metrics_listen: at }: AccessConfig): Finding[] {
  const reach = at === null ? 'machine' : reachOf(at.host);
  if (at === null || reach === 'machine' || reach === 'network') return [];
  return [
    {
      id: 'metrics_open',
      severity: reach === 'everybody' ? 'warning' : 'info',
      meaning: `The metrics are served without a token on ${at.host}, which may be reached from outside.`,
      remedy: 'Set metrics_listen to an address that Prometheus alone reaches, or keep others from its port.',
    },
  ];
}

function theWayHere(config: AccessConfig, { ip, header }: Asked): Finding[] {
  const findings: Finding[] = [];
  if (config.admin_allowed_networks.length === 0 && guard.allows(ip)) {
    findings.push({
      id: 'admin_api_reached_from_outside',
      severity: 'critical',
      subject: ip,
      meaning: `This very call came from ${ip}, an address of the public network: the admin API can be reached from there.`,
      remedy:
        'Name the networks of administrators in admin_allowed_networks, or keep the admin API from the public in the reverse proxy.',
    });
  }
  if (config.trusted_proxies === null && header('x-forwarded-for') !== undefined) {
    findings.push({
      id: 'proxy_not_trusted',
      severity: 'warning',
      subject: ip,
      meaning: `This call came through a reverse proxy at ${ip}, which is not trusted: all clients are taken for the proxy, share its rate limit, and addresses in whois and in the audit log are the proxy's.`,
      remedy: 'Name the address of the proxy in trusted_proxies.',
    });
  }
  return findings;
}

function callers(config: AccessConfig): Finding[] {
  const findings: Finding[] = [];
  if (!config.rate_limits) {
    findings.push({
      id: 'rate_limits_off',
      severity: 'critical',
      meaning: 'Requests are not limited: passwords and tokens can be tried as fast as the machine answers.',
      remedy: 'Remove rate_limits from the configuration, or set it to on.',
    });
  }
  if (config.registration_enabled && !config.registration_requires_token) {
    findings.push({
      id: 'open_registration',
      severity: 'warning',
      meaning: 'Anybody may register, without a token.',
      remedy: 'Set registration_requires_token to on, or registration_enabled to off.',
    });
  }
  return findings;
}

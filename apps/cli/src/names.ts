/**
 * Names of subcommands where the one that the path gives would not do, by method and path. Several calls of one
 * name do the same: the first of them is the one that is made.
 */
const names: Readonly<Record<string, string>> = {
  'POST /_dendrite/admin/evacuateRoom/{}': 'rooms evacuate',
  'GET /_dendrite/admin/evacuateRoom/{}': 'rooms evacuate',
  'POST /_dendrite/admin/purgeRoom/{}': 'rooms purge',
  'POST /_seneschal/v1/rooms/purge': 'rooms purge-matching',
  'POST /_dendrite/admin/downloadState/{}/{}': 'rooms download-state',
  'GET /_dendrite/admin/downloadState/{}/{}': 'rooms download-state',
  'GET /_dendrite/admin/emptyRooms': 'rooms list-empty',
  'GET /_seneschal/v1/deletions': 'rooms deletions',
  'POST /_dendrite/admin/evacuateUser/{}': 'users evacuate',
  'GET /_dendrite/admin/evacuateUser/{}': 'users evacuate',
  'POST /_dendrite/admin/resetPassword/{}': 'users reset-password',
  'GET /_matrix/client/v3/admin/whois/{}': 'users sessions',
  'GET /_matrix/client/r0/admin/whois/{}': 'users sessions',
  'GET /_synapse/admin/v1/users/{}/admin': 'users admin',
  'PUT /_synapse/admin/v1/users/{}/admin': 'users set-admin',
  'GET /_matrix/client/v1/admin/suspend/{}': 'users suspended',
  'PUT /_matrix/client/v1/admin/suspend/{}': 'users suspend',
  'GET /_matrix/client/v1/admin/lock/{}': 'users locked',
  'PUT /_matrix/client/v1/admin/lock/{}': 'users lock',
  // Made by hand in register.ts, as it signs what it sends.
  'POST /_synapse/admin/v1/register': 'users register',
  'GET /_synapse/admin/v1/register': 'users register',
  'POST /_dendrite/admin/refreshDevices/{}': 'devices refresh',
  'POST /_seneschal/v1/devices/refresh': 'devices refresh-many',
  'POST /_dendrite/admin/fulltext/reindex': 'search reindex',
  'GET /_dendrite/admin/fulltext/reindex': 'search reindex',
  'POST /_synapse/admin/v1/registration_tokens/new': 'tokens create',
  'POST /_dendrite/admin/registrationTokens/new': 'tokens create',
  'GET /_synapse/admin/v1/registration_tokens': 'tokens list',
  'GET /_dendrite/admin/registrationTokens': 'tokens list',
  'GET /_synapse/admin/v1/registration_tokens/{}': 'tokens show',
  'GET /_dendrite/admin/registrationTokens/{}': 'tokens show',
  'PUT /_synapse/admin/v1/registration_tokens/{}': 'tokens update',
  'PUT /_dendrite/admin/registrationTokens/{}': 'tokens update',
  'DELETE /_synapse/admin/v1/registration_tokens/{}': 'tokens delete',
  'DELETE /_dendrite/admin/registrationTokens/{}': 'tokens delete',
  'GET /_synapse/admin/v1/registration_tokens/{}/users': 'tokens users',
  'GET /_dendrite/admin/registrationTokens/{}/users': 'tokens users',
  'POST /_seneschal/v1/notices': 'notices send',
  'POST /_synapse/admin/v1/send_server_notice': 'notices send-one',
  'PUT /_synapse/admin/v1/send_server_notice/{}': 'notices send-once',
  'DELETE /_seneschal/v1/admin-tokens/{}': 'admin-tokens revoke',
  'GET /_seneschal/v1/federation/destinations': 'federation destinations',
  'GET /_seneschal/v1/federation/destinations/{}': 'federation destination',
  'GET /_seneschal/v1/federation/destinations/{}/rooms': 'federation rooms',
  'POST /_seneschal/v1/federation/destinations/{}/reset': 'federation reset',
  'GET /_seneschal/v1/federation/blocks': 'federation blocks',
  'PUT /_seneschal/v1/federation/blocks/{}': 'federation block',
  'DELETE /_seneschal/v1/federation/blocks/{}': 'federation unblock',
  'GET /_seneschal/v1/jobs/{}/events': 'jobs watch',
  'GET /_seneschal/v1/metrics': 'server metrics',
  'GET /_seneschal/v1/health': 'server health',
  'GET /_dendrite/monitor/health': 'server health',
  'GET /_dendrite/monitor/up': 'server up',
  'GET /_seneschal/v1/openapi.json': 'server openapi',
  'GET /_seneschal/v1/docs': 'server docs',
};

/**
 * What can be rehearsed and destroys nothing, however much it is done to. Any other call with a rehearsal asks
 * before it is done to many.
 */
export const harmlessCalls: ReadonlySet<string> = new Set([
  'devices refresh',
  'devices refresh-many',
  'rooms import',
  'search reindex',
]);

/** What the nouns are about, for the help; those of new calls do without. */
export const nouns: Readonly<Record<string, string>> = {
  rooms: 'Evacuate, purge and import rooms, and repair their state',
  users: 'Evacuate users, reset passwords, see sessions, make accounts and administrators',
  devices: "Device lists of other servers' users",
  federation: 'Other servers: how sending to them goes, and which are blocked',
  jobs: 'Follow, cancel, pause, resume and retry jobs',
  search: 'The search index',
  tokens: 'Registration tokens',
  notices: 'Server notices',
  reports: 'Everything that users have reported, with what has become of it',
  'event-reports': 'Reports of events',
  'room-reports': 'Reports of rooms',
  'user-reports': 'Reports of users',
  audit: 'The audit log of admin calls',
  'admin-tokens': 'Admin tokens for machines',
  server: 'The server itself',
};

/** `POST /_dendrite/admin/purgeRoom/{roomId}` → `POST /_dendrite/admin/purgeRoom/{}`. */
export function shapeOf(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`;
}

/** The subcommand of a call, as noun and verb. */
export function nameOf(method: string, path: string): string {
  return names[shapeOf(method, path)] ?? derivedName(method.toUpperCase(), path);
}

/** Whether a call that is not for administrators is a subcommand all the same. */
export function isNamed(method: string, path: string): boolean {
  return shapeOf(method, path) in names;
}

/** The place of a call among those of the same name; the first is the one that is made. */
export function rankOf(method: string, path: string): number {
  return Object.keys(names).indexOf(shapeOf(method, path));
}

const plainVerbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', DELETE: 'delete' };

/**
 * `GET /_seneschal/v1/jobs` → `jobs list`, `…/jobs/{jobId}` → `jobs show`, `…/jobs/{jobId}/cancel` → `jobs cancel`,
 * `GET /_seneschal/v1/self-check` → `server self-check`, `POST /_dendrite/admin/purgeRoom/{roomId}` → `rooms purge`.
 */
function derivedName(method: string, path: string): string {
  const segments = path.replace(/^\/_(synapse\/admin\/v\d+|[a-z]+\/[a-z0-9]+)\//, '').split('/');
  const [first = '', ...rest] = segments.filter((segment) => !segment.startsWith('{')).map(kebab);
  const endsInParameter = segments.at(-1)?.startsWith('{') === true;
  const plain = method === 'GET' ? (endsInParameter ? 'show' : 'list') : (plainVerbs[method] ?? 'call');
  if (rest.length > 0) {
    const last = rest.at(-1) ?? '';
    if (last === 'new') return `${first} create`;
    const verb = method === 'PUT' || method === 'DELETE' ? `${plain}-${last}` : rest.join('-');
    return `${first} ${verb}`;
  }
  const verbAndNoun = /^([a-z]+)([A-Z][a-z]+)$/.exec(segments[0] ?? '');
  if (verbAndNoun !== null && endsInParameter)
    return `${String(verbAndNoun[2]).toLowerCase()}s ${String(verbAndNoun[1])}`;
  if (segments.length === 1 && (!first.endsWith('s') || first === 'metrics')) {
    return first === 'audit' ? 'audit list' : `server ${first}`;
  }
  return `${first} ${plain}`;
}

function kebab(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase();
}

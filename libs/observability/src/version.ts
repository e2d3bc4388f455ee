/** What the server calls itself, towards other servers and in its own descriptions. */
export const software = { name: 'Seneschal', version: '0.1.0' } as const;
